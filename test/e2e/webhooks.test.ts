import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Receiver, startReceiver } from "./receiver.ts";
import { expectProblem } from "./shapes.ts";
import { countedWithinMs, createWorld } from "./world.ts";

const url = "/api/v1/webhooks";

describe("a registry that was not told of any network that its webhooks may call", () => {
  const world = createWorld("embedded", { LIMIT_WEBHOOKS_PER_OWNER: "2" });

  it.each([
    "http://127.0.0.1/",
    "http://receiver.example.com/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://user:secret@receiver.example.com/",
    "https://receiver.example.com/#here",
    "ftp://receiver.example.com/",
    "receiver.example.com",
  ])("refuses %s, naming the field and what to do", async (target) => {
    const refused = await (await world.user()).sends("POST", url, { url: target });
    expectProblem(refused, 400, "INVALID_URL");
    const { errors, detail } = refused.json<{ errors: { pointer: string; reason: string }[]; detail: string }>();
    expect(errors).toEqual([{ pointer: "/url", reason: expect.stringMatching(/\w{4}/) }]);
    expect(detail).toMatch(/^url: /);
    expect(detail).not.toContain("secret@");
  });

  it("lets nobody have more webhooks than the operator says", async () => {
    const user = await world.user();
    const makes = () => user.sends("POST", url, { url: "https://receiver.invalid/" });
    const made = await Promise.all([makes(), makes(), makes()]);
    expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 409]);
    expectProblem(await makes(), 409, "TOO_MANY_WEBHOOKS");
    const listed = (await user.gets(`${url}?limit=1`)).json<{ webhooks: object[]; next_cursor: string }>();
    expect(listed.webhooks).toHaveLength(1);
    const rest = await user.gets(`${url}?limit=1&cursor=${listed.next_cursor}`);
    expect(rest.json()).toMatchObject({ webhooks: [{ owner: user.username }], next_cursor: null });
  });
});

describe("a registry that was told of another network than its own", () => {
  // Which has it look at names of the machine itself.
  const world = createWorld("embedded", { RATE_LIMIT_WEBHOOK_TESTS: "1", WEBHOOK_ALLOWED_NETWORKS: "192.0.2.0/24" });
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  it.each(["https", "http"])("calls nobody beyond it, whatever name leads there, and says so: %s", async (scheme) => {
    const user = await world.user();
    const target = receiver.urlOf("/").replace("http://127.0.0.1", `${scheme}://localhost`);
    const made = await user.sends("POST", url, { url: target });
    expect(made.status).toBe(201);
    const path = `${url}/${made.json<{ id: string }>().id}`;
    expect((await user.request("POST", `${path}/test`)).status).toBe(202);
    await vi.waitFor(async () => {
      const { deliveries } = (await user.gets(`${path}/deliveries`)).json<{ deliveries: object[] }>();
      const attempts = [{ status: null, error: "address not allowed" }];
      expect(deliveries).toMatchObject([{ type: "ping", state: "failed", next_attempt_at: null, attempts }]);
    }, countedWithinMs);
    expect(receiver.at("/")).toEqual([]);
    const tests = () => user.request("POST", `${path}/test`);
    // Another minute may begin, but not twice.
    const [again] = (await Promise.all([tests(), tests(), tests()])).filter(({ status }) => status === 429);
    if (again === undefined) throw new Error("there was no limit");
    expectProblem(again, 429, "RATE_LIMITED");
    expect(Number(again.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
