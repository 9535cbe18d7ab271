import { setImmediate as turn } from "node:timers/promises";
import { ReleaseState } from "@registry/contracts/catalog";
import { afterEach, expect, it, vi } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { formHeaders, multipartBody } from "./testing/http.ts";

let stack: FakeStack;
afterEach(() => stack.close());

const body = multipartBody([{ name: "package", filename: "p.zip", content: "the bytes of a package" }]);
const post = (): Promise<Response> =>
  fetch(`${stack.url}/api/v1/plugins`, {
    method: "POST",
    headers: { authorization: "Bearer publisher", ...formHeaders },
    body,
  });

/** A storage that keeps each upload until it is let go, one after the other. */
async function startHolding(): Promise<{ readonly held: (() => void)[]; readonly most: () => number }> {
  const held: (() => void)[] = [];
  let open = 0;
  let most = 0;
  stack = await startFakeStack(
    {
      storage: {
        async uploadPackage(messages) {
          most = Math.max(most, ++open);
          for await (const _ of messages) await turn();
          await new Promise<void>((resolve) => held.push(resolve));
          open -= 1;
          return { upload: { id: "u", sha256: "0".repeat(64), size: 1 } };
        },
      },
      catalog: {
        publishRelease: async () => ({
          plugin: { name: "pump" },
          release: { version: "1.0.0", container: "zip", state: ReleaseState.RELEASE_STATE_PUBLISHED },
          created: true,
        }),
      },
    },
    { LIMIT_CONCURRENT_UPLOADS: 1 },
  );
  return { held, most: () => most };
}

async function letAllGo(held: (() => void)[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await vi.waitFor(() => expect(held).not.toEqual([]));
    held.shift()?.();
  }
}

it("receives no more packages at once than it may; the others wait for their turn", async () => {
  const { held, most } = await startHolding();
  const answers = Promise.all(Array.from({ length: 6 }, post));
  await letAllGo(held, 6);
  expect((await answers).map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
  expect(most()).toBe(1);
});

it("sends away whom the line has no room for, and publishes again afterwards", async () => {
  const { held } = await startHolding();
  const refused: Response[] = [];
  const answers = Array.from({ length: 20 }, async () => {
    const response = await post();
    if (response.status !== 201) refused.push(response);
    return response.status;
  });
  await vi.waitFor(() => expect(refused).toHaveLength(3));
  for (const response of refused) {
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ code: "TOO_MANY_UPLOADS" });
  }
  await letAllGo(held, 17);
  expect((await Promise.all(answers)).filter((status) => status === 201)).toHaveLength(17);
  const after = post();
  await letAllGo(held, 1);
  expect((await after).status).toBe(201);
});
