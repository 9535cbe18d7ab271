import { type PublishReleaseRequest, type PublishReleaseResponse, ReleaseState } from "@registry/contracts/catalog";
import { isRegistryError } from "@registry/domain";
import type { CallContext, Metrics } from "@registry/kit";
import { Counter } from "prom-client";

type Answer = Pick<PublishReleaseResponse, "release" | "created">;
type Publish<A extends Answer> = (request: PublishReleaseRequest, context: CallContext) => Promise<A>;

/** `held`: it waits for its tests or a reviewer; `unchanged`: the same bytes were there already. */
const outcomes = ["published", "held", "unchanged", "refused", "failed"] as const;
type Outcome = (typeof outcomes)[number];

/** Counts publishes by what came of them, rehearsals left out. */
export class PublishOutcomes {
  readonly #counter: Counter<"outcome">;

  constructor({ registry }: Metrics) {
    this.#counter = new Counter({
      name: "registry_publishes_total",
      help: "Publishes by what came of them",
      labelNames: ["outcome"],
      registers: [registry],
    });
    for (const outcome of outcomes) this.#counter.inc({ outcome }, 0);
  }

  inc(outcome: Outcome): void {
    this.#counter.inc({ outcome });
  }
}

/** Publishes, and counts what came of it. */
export function counted<A extends Answer>(
  parts: { readonly outcomes: PublishOutcomes },
  publish: Publish<A>,
): Publish<A> {
  return async (request, context) => {
    if (request.dryRun) return publish(request, context);
    try {
      const answer = await publish(request, context);
      parts.outcomes.inc(outcomeOf(answer));
      return answer;
    } catch (error) {
      parts.outcomes.inc(isOurs(error) ? "failed" : "refused");
      throw error;
    }
  };
}

function outcomeOf({ created, release }: Answer): Outcome {
  if (!created) return "unchanged";
  return release?.state === ReleaseState.RELEASE_STATE_PUBLISHED ? "published" : "held";
}

/** Whether the publisher could have done nothing about it. */
function isOurs(error: unknown): boolean {
  if (!isRegistryError(error)) return true;
  return ["internal", "unavailable", "deadline_exceeded", "cancelled"].includes(error.kind);
}
