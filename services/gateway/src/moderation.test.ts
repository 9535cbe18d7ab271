import {
  CheckResult,
  Plugin,
  PluginDetails,
  Release,
  ReleaseState,
  ReviewState,
  Visibility,
} from "@registry/contracts/catalog";
import { RegistryError } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  checkSchema,
  infoSchema,
  namedReleaseSchema,
  pluginSchema,
  problemSchema,
  reviewSchema,
  waitingSchema,
} from "./schemas.ts";
import { type FakeNeighbours, type FakeStack, startFakeStack } from "./testing/fakes.ts";

const at = new Date("2026-01-02T03:04:05.678Z");
const held = {
  checks: [
    { name: "structure", result: CheckResult.CHECK_RESULT_PASSED, finishedAt: at },
    { name: "tests", result: CheckResult.CHECK_RESULT_FAILED, summary: "1 of 2 failed", log: "E1", finishedAt: at },
    { name: "content", result: CheckResult.CHECK_RESULT_UNSPECIFIED },
    { name: "name", result: CheckResult.CHECK_RESULT_ERROR },
  ],
  review: { state: ReviewState.REVIEW_STATE_PENDING, reasons: ["looks like pump"], requestedAt: at },
  findings: [{ rule: "r", severity: "high", message: "m", file: "f.js", line: 3, pointer: "/a", action: "hold" }],
};

let asked: object[];
let state: ReleaseState;

const releaseOf = (name: string, version: string) =>
  Release.fromPartial({ plugin: name, version, sha256: "a".repeat(64), container: "zip", state, ...held });
const pluginOf = (name: string) =>
  Plugin.fromPartial({ name, kind: "tool", visibility: Visibility.VISIBILITY_PUBLIC, latest: "1.0.0" });
const said = { deprecation: { message: "Use the other", successor: "valve" } };

const catalog: NonNullable<FakeNeighbours["catalog"]> = {
  async yankRelease(request) {
    asked.push(request);
    state = ReleaseState.RELEASE_STATE_YANKED;
    return { release: { ...releaseOf(request.name, request.version), reason: request.reason } };
  },
  async unyankRelease(request) {
    asked.push(request);
    state = ReleaseState.RELEASE_STATE_PUBLISHED;
    return { release: releaseOf(request.name, request.version) };
  },
  async deprecate(request) {
    asked.push(request);
    const { name, version } = request;
    return version === ""
      ? { plugin: { ...pluginOf(name), ...said } }
      : { plugin: pluginOf(name), release: { ...releaseOf(name, version), ...said } };
  },
  async undeprecate(request) {
    asked.push(request);
    const { name, version } = request;
    return { plugin: pluginOf(name), ...(version === "" ? {} : { release: releaseOf(name, version) }) };
  },
  async reviewRelease(request) {
    asked.push(request);
    const review = { state: ReviewState.REVIEW_STATE_RELEASED, reason: request.reason, reviewedBy: "admin" };
    return { plugin: pluginOf(request.name), release: { ...releaseOf(request.name, request.version), review } };
  },
  async listReviews(request, { caller }) {
    asked.push(request);
    if (caller.type !== "user") throw new RegistryError("unauthenticated", "INVALID_CREDENTIAL", "no");
    return { releases: [releaseOf("pump", "1.0.0")], nextPageToken: "more/+" };
  },
  async getRelease({ name, version }) {
    return { release: releaseOf(name, version), plugin: pluginOf(name) };
  },
  async getPlugin({ name }) {
    asked.push({ name });
    const release = releaseOf(name, "1.0.0");
    return {
      details: PluginDetails.fromPartial({
        plugin: { ...pluginOf(name), ...said },
        release,
        releases: [release],
        versions: ["1.0.0"],
      }),
    };
  },
  async resolveDownload({ name, version }) {
    return { release: releaseOf(name, version), visibility: Visibility.VISIBILITY_PUBLIC };
  },
};

let stack: FakeStack;
beforeAll(async () => {
  stack = await startFakeStack({ catalog });
});
afterAll(() => stack.close());
beforeEach(() => {
  asked = [];
  state = ReleaseState.RELEASE_STATE_PUBLISHED;
});

const json = { "content-type": "application/json" };
const plugins = "/api/v1/plugins";
const release = `${plugins}/pump/versions/1.0.0`;

function send(method: string, path: string, body?: object, token = "admin"): Promise<Response> {
  return fetch(`${stack.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : json) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function problem(response: Promise<Response>): Promise<[number, string, string | undefined]> {
  const answered = await response;
  const { code, errors } = problemSchema.parse(await answered.json());
  return [answered.status, code, errors?.[0]?.pointer];
}

describe("yanking", () => {
  it("takes a reason, an empty body, or none", async () => {
    for (const [body, reason] of [
      [{ reason: "leaks" }, "leaks"],
      [{}, ""],
      [undefined, ""],
    ] as const) {
      const response = await send("PUT", `${release}/yank`, body);
      expect(response.status).toBe(200);
      const answer = namedReleaseSchema.parse(await response.json());
      expect(answer).toMatchObject({ plugin: "pump", version: "1.0.0", state: "yanked", yanked: true });
      expect(answer.reason).toBe(reason === "" ? null : reason);
      expect(asked.at(-1)).toEqual({ name: "pump", version: "1.0.0", reason });
    }
  });

  it("takes an announced body that does not come for none, where none is needed", async () => {
    const headers = { authorization: "Bearer admin", ...json };
    for (const method of ["PUT", "DELETE"]) {
      expect((await fetch(`${stack.url}${release}/yank`, { method, headers })).status).toBe(200);
    }
    const needed = fetch(`${stack.url}${release}/deprecate`, { method: "PUT", headers });
    expect(await problem(needed)).toEqual([400, "INVALID_BODY", ""]);
  });

  it("is taken back with DELETE, of a name in a namespace, too", async () => {
    for (const spelt of ["@acme/pump", "@acme%2Fpump"]) {
      const response = await send("DELETE", `${plugins}/${spelt}/versions/1.0.0/yank`);
      const answer = namedReleaseSchema.parse(await response.json());
      expect(answer).toMatchObject({ plugin: "@acme/pump", state: "published", yanked: false });
      expect(asked.at(-1)).toEqual({ name: "@acme/pump", version: "1.0.0" });
    }
  });

  it("refuses what is no reason, and names the field", async () => {
    for (const reason of ["x".repeat(501), 7, null]) {
      expect(await problem(send("PUT", `${release}/yank`, { reason }))).toEqual([400, "INVALID_BODY", "/reason"]);
    }
    expect(asked).toEqual([]);
  });
});

describe("deprecating", () => {
  it("answers the plugin, or the release where there is one", async () => {
    const body = { message: "Use the other", successor: "valve" };
    const whole = await send("PUT", `${plugins}/pump/deprecate`, body);
    expect(pluginSchema.parse(await whole.json()).deprecation).toEqual(body);
    const one = await send("PUT", `${release}/deprecate`, { message: "Use the other" });
    expect(namedReleaseSchema.parse(await one.json()).deprecation).toEqual(body);
    expect(asked).toEqual([
      { name: "pump", version: "", deprecation: body },
      { name: "pump", version: "1.0.0", deprecation: { message: "Use the other", successor: "" } },
    ]);
    expect(pluginSchema.parse(await (await send("DELETE", `${plugins}/pump/deprecate`)).json()).deprecation).toBeNull();
    const back = await send("DELETE", `${release}/deprecate`);
    expect(namedReleaseSchema.parse(await back.json()).deprecation).toBeNull();
  });

  it.each([
    [undefined, ""],
    [{}, "/message"],
    [{ message: "" }, "/message"],
    [{ message: "x".repeat(501) }, "/message"],
    [{ message: "old", successor: "No Name" }, "/successor"],
    [{ message: "old", successor: "" }, "/successor"],
    [{ message: "old", successor: 1 }, "/successor"],
  ])("refuses %j", async (body, pointer) => {
    for (const path of [`${plugins}/pump/deprecate`, `${release}/deprecate`]) {
      expect(await problem(send("PUT", path, body))).toEqual([400, "INVALID_BODY", pointer]);
    }
    expect(asked).toEqual([]);
  });
});

describe("reviewing", () => {
  it.each([
    ["release", "REVIEW_DECISION_RELEASE"],
    ["approve", "REVIEW_DECISION_RELEASE"],
    ["reject", "REVIEW_DECISION_REJECT"],
    ["quarantine", "REVIEW_DECISION_QUARANTINE"],
  ])("passes %s on", async (decision, wire) => {
    const response = await send("POST", `${release}/review`, { decision, reason: "read it" });
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const answer = namedReleaseSchema.parse(await response.json());
    expect(answer).toMatchObject({ plugin: "pump", review: { state: "released", reason: "read it" } });
    expect(asked).toEqual([{ name: "pump", version: "1.0.0", decision: wire, reason: "read it" }]);
  });

  it.each([
    [{ reason: "why" }, "/decision"],
    [{ decision: "maybe", reason: "why" }, "/decision"],
    [{ decision: "release" }, "/reason"],
    [{ decision: "release", reason: "" }, "/reason"],
    [{ decision: "release", reason: "x".repeat(501) }, "/reason"],
  ])("refuses %j", async (body, pointer) => {
    expect(await problem(send("POST", `${release}/review`, body))).toEqual([400, "INVALID_BODY", pointer]);
    expect(asked).toEqual([]);
  });

  it("lists what waits, page by page, for nobody's memory", async () => {
    state = ReleaseState.RELEASE_STATE_STAGED;
    const response = await send("GET", "/api/v1/admin/reviews?limit=1&cursor=a%2Fb");
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(response.headers.get("link")).toContain("limit=1&cursor=more%2F%2B");
    const { reviews, next_cursor } = z
      .object({ reviews: z.array(waitingSchema), next_cursor: z.string() })
      .parse(await response.json());
    expect(next_cursor).toBe("more/+");
    expect(reviews).toMatchObject([
      { plugin: "pump", state: "staged", review: { state: "pending", reasons: ["looks like pump"] } },
    ]);
    expect(reviews[0]?.findings).toEqual([
      { rule: "r", severity: "high", message: "m", file: "f.js", line: 3, pointer: "/a", action: "hold" },
    ]);
    expect(JSON.stringify(reviews)).not.toContain("E1");
    expect(asked).toEqual([{ page: { pageSize: 1, pageToken: "a/b" } }]);
    expect((await fetch(`${stack.url}/api/v1/admin/reviews`)).status).toBe(401);
    expect(await problem(send("GET", "/api/v1/admin/reviews?limit=501"))).toEqual([400, "INVALID_QUERY", "/limit"]);
  });
});

describe("what readers are told", () => {
  it("has the checks with their logs, and the review", async () => {
    const response = await send("GET", `${release}/checks`);
    const answer = z
      .object({ checks: z.array(checkSchema.extend({ log: z.string().nullable() })), review: reviewSchema })
      .parse(await response.json());
    const time = at.toISOString();
    expect(answer.checks).toEqual([
      { name: "structure", result: "passed", summary: null, log: null, finished_at: time },
      { name: "tests", result: "failed", summary: "1 of 2 failed", log: "E1", finished_at: time },
      { name: "content", result: "pending", summary: null, log: null, finished_at: null },
      { name: "name", result: "error", summary: null, log: null, finished_at: null },
    ]);
    expect(answer.review).toMatchObject({ state: "pending", requested_at: time, reviewed_by: null, reason: null });
  });

  it("has deprecations and checks in an info, and logs nowhere else", async () => {
    const info = infoSchema.parse(await (await send("GET", `${plugins}/pump`)).json());
    expect(info.deprecation).toEqual(said.deprecation);
    expect(info.releases).toMatchObject([{ deprecation: null, yanked: false, review: { state: "pending" } }]);
    expect(JSON.stringify(info)).not.toContain("E1");
    expect(await (await send("GET", release)).text()).not.toContain("E1");
  });
});

describe("what is hidden", () => {
  const hidden = [ReleaseState.RELEASE_STATE_STAGED, ReleaseState.RELEASE_STATE_QUARANTINED];

  it.each(hidden)("is kept by nothing on the way while it is %s, however public its plugin", async (now) => {
    state = now;
    for (const path of [release, `${release}/checks`, `${plugins}/pump/download?version=1.0.0`]) {
      const response = await send("GET", path);
      expect([path, response.status]).toEqual([path, 200]);
      expect([path, response.headers.get("cache-control")]).toEqual([path, expect.stringMatching(/^private/)]);
    }
    const url = z.object({ download_url: z.string() });
    for (const path of [`${plugins}/pump/download?version=1.0.0`, `${plugins}/pump`]) {
      expect(url.parse(await (await send("GET", path)).json()).download_url).toContain("ticket=");
    }
    state = ReleaseState.RELEASE_STATE_YANKED;
    const open = await send("GET", `${plugins}/pump/download?version=1.0.0`);
    expect(url.parse(await open.json()).download_url).not.toContain("ticket=");
  });

  it("is not kept ready even where the catalog shows it to everybody", async () => {
    const ask = async (path: string): Promise<string | undefined> =>
      ((await (await fetch(`${stack.url}${path}`)).json()) as { state?: string }).state;
    await vi.waitFor(async () => {
      state = ReleaseState.RELEASE_STATE_PUBLISHED;
      await ask(release);
      state = ReleaseState.RELEASE_STATE_YANKED;
      expect(await ask(release)).toBe("published");
    });
    const other = `${plugins}/pump/versions/2.0.0`;
    state = ReleaseState.RELEASE_STATE_STAGED;
    expect(await ask(other)).toBe("staged");
    state = ReleaseState.RELEASE_STATE_PUBLISHED;
    expect(await ask(other)).toBe("published");
  });
});

it.each([
  ["PUT", `${release}/yank`, undefined],
  ["DELETE", `${release}/yank`, undefined],
  ["PUT", `${plugins}/pump/deprecate`, { message: "old" }],
  ["DELETE", `${plugins}/pump/deprecate`, undefined],
  ["PUT", `${release}/deprecate`, { message: "old" }],
  ["DELETE", `${release}/deprecate`, undefined],
  ["POST", `${release}/review`, { decision: "quarantine", reason: "bad" }],
])("forgets what was kept of the plugin after %s %s", async (method, path, body) => {
  const reads = async (): Promise<number> => {
    const before = asked.length;
    await (await fetch(`${stack.url}${plugins}/pump`)).text();
    return asked.length - before;
  };
  await vi.waitFor(async () => expect(await reads()).toBe(0));
  expect((await send(method, path, body)).status).toBe(200);
  expect(await reads()).toBe(1);
});
