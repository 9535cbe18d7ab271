import { PublishReleaseRequest, ReleaseState } from "@registry/contracts/catalog";
import { RegistryError, unavailable } from "@registry/domain";
import { type CallContext, createMetrics } from "@registry/kit";
import { beforeEach, expect, it } from "vitest";
import { counted, PublishOutcomes } from "./outcomes.ts";

type Answer = { created: boolean; release: { state: ReleaseState } };

let metrics: ReturnType<typeof createMetrics>;
let outcomes: PublishOutcomes;
beforeEach(() => {
  metrics = createMetrics();
  outcomes = new PublishOutcomes(metrics);
});

const { RELEASE_STATE_PUBLISHED: open, RELEASE_STATE_STAGED: staged } = ReleaseState;

async function publish(outcome: Answer | Error, dryRun = false): Promise<void> {
  const handle = counted({ outcomes }, async () => {
    if (outcome instanceof Error) throw outcome;
    return outcome as never;
  });
  await handle(PublishReleaseRequest.fromPartial({ dryRun }), {} as CallContext).catch(() => undefined);
}

it("publishes are counted by what came of them, and rehearsals are not", async () => {
  await publish({ created: true, release: { state: open } });
  await publish({ created: true, release: { state: staged } });
  await publish({ created: true, release: { state: staged } });
  await publish({ created: false, release: { state: open } });
  await publish({ created: true, release: { state: open } }, true);
  await publish(new RegistryError("already_exists", "VERSION_EXISTS", "there are other bytes"));
  await publish(new RegistryError("rate_limited", "RATE_LIMITED", "too much"));
  await publish(unavailable("The store"));
  await publish(new TypeError("of ours"));
  await publish(unavailable("The store"), true);
  const values = (await metrics.registry.getSingleMetric("registry_publishes_total")?.get())?.values ?? [];
  expect(Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]))).toEqual({
    published: 1,
    held: 2,
    unchanged: 1,
    refused: 2,
    failed: 2,
  });
});
