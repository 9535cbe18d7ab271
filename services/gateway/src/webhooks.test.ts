import type {
  CreateWebhookRequest,
  Delivery,
  ListDeliveriesRequest,
  ListWebhooksRequest,
  RedeliverRequest,
  RotateWebhookSecretRequest,
  UpdateWebhookRequest,
  Webhook,
} from "@registry/contracts/webhooks";
import { invalid, RegistryError } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { problemSchema } from "./schemas.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { deliverySchema, secretWebhookSchema, webhookSchema } from "./webhook-schemas.ts";

const at = new Date("2026-01-31T08:00:00Z");
const webhook: Webhook = {
  id: "w1",
  owner: "publisher",
  organisation: "",
  url: "https://ann.example/hook",
  description: "",
  events: [],
  plugins: ["@acme/*"],
  state: "active",
  failingSince: undefined,
  oldSecretUntil: undefined,
  createdBy: "publisher",
  createdAt: at,
  updatedAt: at,
};
const webhookJson = {
  id: "w1",
  owner: "publisher",
  organisation: null,
  url: "https://ann.example/hook",
  description: "",
  events: [],
  plugins: ["@acme/*"],
  state: "active",
  failing_since: null,
  old_secret_until: null,
  created_by: "publisher",
  created_at: "2026-01-31T08:00:00.000Z",
  updated_at: "2026-01-31T08:00:00.000Z",
};
const delivery: Delivery = {
  id: "d1",
  type: "ping",
  plugin: "",
  version: "",
  time: at,
  state: "pending",
  createdAt: at,
  nextAttemptAt: at,
  attempts: [{ time: at, status: 0, durationMs: 5000, error: "no answer in time" }],
};
const deliveryJson = {
  id: "d1",
  type: "ping",
  plugin: null,
  version: null,
  time: "2026-01-31T08:00:00.000Z",
  state: "pending",
  created_at: "2026-01-31T08:00:00.000Z",
  next_attempt_at: "2026-01-31T08:00:00.000Z",
  attempts: [{ time: "2026-01-31T08:00:00.000Z", status: null, duration_ms: 5000, error: "no answer in time" }],
};
const secret = `whsec_${Buffer.alloc(24, "s").toString("base64")}`;

let asked: unknown[] = [];
const heard = <T, A>(answer: A | ((request: T) => A)) => {
  return async (request: T): Promise<A> => {
    asked.push(request);
    return typeof answer === "function" ? (answer as (request: T) => A)(request) : answer;
  };
};
const missing = new RegistryError("not_found", "WEBHOOK_NOT_FOUND", "Webhook not found");

describe("webhooks over HTTP", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack({
      webhooks: {
        createWebhook: heard(({ url }: CreateWebhookRequest) => {
          if (url.includes("169.254.169.254")) throw invalid("INVALID_URL", "url: give a public address", "/url");
          return { webhook, secret };
        }),
        listWebhooks: heard(({ page }: ListWebhooksRequest) => ({
          webhooks: [webhook],
          nextPageToken: page?.pageToken === "" ? "w1" : "",
        })),
        getWebhook: heard(({ id }: { id: string }) => {
          if (id !== "w1") throw missing;
          return { webhook };
        }),
        updateWebhook: heard<UpdateWebhookRequest, object>({ webhook }),
        deleteWebhook: heard<{ id: string }, object>({}),
        rotateWebhookSecret: heard<RotateWebhookSecretRequest, object>({
          webhook: { ...webhook, oldSecretUntil: at },
          secret,
        }),
        testWebhook: heard<{ id: string }, object>({ delivery }),
        listDeliveries: heard(({ page }: ListDeliveriesRequest) => ({
          deliveries: [delivery],
          nextPageToken: page?.pageToken === "" ? "d1" : "",
        })),
        redeliver: heard<RedeliverRequest, object>({ delivery }),
      },
    });
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(() => stack.close());

  const ask = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${stack.url}/api/v1/webhooks${path}`, {
      method,
      headers: {
        authorization: "Bearer publisher",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const problemOf = async (response: Response) => {
    const { status, code, errors = [] } = problemSchema.parse(await response.json());
    return {
      status,
      code,
      pointers: errors.map(({ pointer }) => pointer),
      reasons: errors.map(({ reason }) => reason),
    };
  };

  it("are made for a URL, and their secret is shown this once and kept by nobody on the way", async () => {
    const body = {
      url: webhook.url,
      organisation: "acme",
      events: ["release.published"],
      plugins: ["@acme/*"],
      secret,
    };
    const response = await ask("POST", "", body);
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(`${stack.url}/api/v1/webhooks/w1`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(secretWebhookSchema.strict().parse(await response.json())).toEqual({ ...webhookJson, secret });
    expect(asked).toEqual([{ ...body, description: "" }]);
    const shown = await ask("GET", "/w1");
    expect(webhookSchema.strict().parse(await shown.json())).toEqual(webhookJson);
    expect(shown.headers.get("cache-control")).toBe("private, no-cache");
  });

  it.each([
    [{}, "/url"],
    [{ url: webhook.url, event: ["release.published"] }, "/event"],
    [{ url: webhook.url, events: ["release.published", "release.eaten"] }, "/events/1"],
    [{ url: webhook.url, owner: "admin" }, "/owner"],
    [{ url: webhook.url, plugins: Array.from({ length: 51 }, () => "pump") }, "/plugins"],
    [{ url: webhook.url, description: "\u202e" }, "/description"],
    [{ url: `https://ann.example/${"x".repeat(2048)}` }, "/url"],
  ])("are refused with the field that is wrong: %j", async (body, pointer) => {
    const problem = await problemOf(await ask("POST", "", body));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_BODY", pointers: [pointer] });
    expect(asked).toEqual([]);
  });

  it("say which events there are, and what analytics found wrong with a URL", async () => {
    const { reasons } = await problemOf(await ask("POST", "", { url: webhook.url, events: ["release.eaten"] }));
    expect(reasons).toEqual([expect.stringMatching(/^expected one of release\.published, .*plugin\.deleted$/)]);
    const inner = await problemOf(await ask("POST", "", { url: "https://169.254.169.254/" }));
    expect(inner).toMatchObject({ status: 400, code: "INVALID_URL", pointers: ["/url"] });
  });

  it("change field by field, where an empty list is another thing than none", async () => {
    expect((await ask("PATCH", "/w1", { active: false })).status).toBe(200);
    expect((await ask("PATCH", "/w1", { events: [], plugins: ["pump"], url: webhook.url })).status).toBe(200);
    expect(asked).toMatchObject([
      { id: "w1", active: false, events: undefined, plugins: undefined, url: undefined, description: undefined },
      { id: "w1", active: undefined, events: { values: [] }, plugins: { values: ["pump"] }, url: webhook.url },
    ]);
    const { pointers } = await problemOf(await ask("PATCH", "/w1", { state: "active" }));
    expect(pointers).toEqual(["/state"]);
  });

  it("get another secret, with and without a body", async () => {
    for (const body of [undefined, { secret }]) {
      const response = await ask("POST", "/w1/rotate", body);
      expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
      const rotated = { ...webhookJson, old_secret_until: "2026-01-31T08:00:00.000Z", secret };
      expect(secretWebhookSchema.strict().parse(await response.json())).toEqual(rotated);
    }
    expect(asked).toEqual([
      { id: "w1", secret: "" },
      { id: "w1", secret },
    ]);
  });

  it("are listed in pages whose links lead on", async () => {
    const first = await ask("GET", "?organisation=acme&limit=1");
    expect(await first.json()).toEqual({ webhooks: [webhookJson], next_cursor: "w1" });
    const link = `<${stack.url}/api/v1/webhooks?organisation=acme&limit=1&cursor=w1>; rel="next"`;
    expect(first.headers.get("link")).toBe(link);
    const last = await ask("GET", "?all=true&cursor=w1");
    expect(await last.json()).toEqual({ webhooks: [webhookJson], next_cursor: null });
    expect(last.headers.get("link")).toBeNull();
    expect(asked).toEqual([
      { page: { pageSize: 1, pageToken: "" }, organisation: "acme", all: false },
      { page: { pageSize: 50, pageToken: "w1" }, organisation: "", all: true },
    ]);
    for (const query of ["limit=0", "limit=501", "cursor=a&cursor=b", "all=perhaps"]) {
      expect(await problemOf(await ask("GET", `?${query}`))).toMatchObject({ status: 400, code: "INVALID_QUERY" });
    }
  });

  it("are tried, and tell what they were sent, newest first", async () => {
    const tried = await ask("POST", "/w1/test");
    expect([tried.status, await tried.json()]).toEqual([202, deliveryJson]);
    const first = await ask("GET", "/w1/deliveries?limit=1");
    const page = (await first.json()) as { deliveries: unknown[]; next_cursor: string };
    expect(page).toEqual({ deliveries: [deliveryJson], next_cursor: "d1" });
    expect(deliverySchema.strict().parse(page.deliveries[0])).toEqual(deliveryJson);
    expect(first.headers.get("link")).toBe(
      `<${stack.url}/api/v1/webhooks/w1/deliveries?limit=1&cursor=d1>; rel="next"`,
    );
    const again = await ask("POST", "/w1/deliveries/d1/redeliver");
    expect([again.status, await again.json()]).toEqual([202, deliveryJson]);
    expect(asked).toEqual([
      { id: "w1" },
      { webhookId: "w1", page: { pageSize: 1, pageToken: "" } },
      { webhookId: "w1", deliveryId: "d1" },
    ]);
  });

  it("go, and what is not there is not found", async () => {
    const gone = await ask("DELETE", "/w1");
    expect([gone.status, await gone.text()]).toEqual([204, ""]);
    expect(await problemOf(await ask("GET", "/w2"))).toMatchObject({ status: 404, code: "WEBHOOK_NOT_FOUND" });
  });

  it("are for users alone", async () => {
    for (const [method, path] of [
      ["GET", ""],
      ["POST", ""],
      ["GET", "/w1"],
      ["POST", "/w1/rotate"],
      ["GET", "/w1/deliveries"],
    ] as const) {
      const response = await fetch(`${stack.url}/api/v1/webhooks${path}`, { method });
      expect([path, (await problemOf(response)).status]).toEqual([path, 401]);
    }
    expect(asked).toEqual([]);
  });
});
