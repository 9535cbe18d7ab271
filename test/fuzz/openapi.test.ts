import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "../e2e/actors.ts";
import type { Answer } from "../e2e/http.ts";
import { createWorld } from "../e2e/world.ts";
import { createFixture, type Fixture, publishAs, succeeds } from "../matrix/fixture.ts";
import { setting } from "../servers/environment.ts";
import { type Case, casesOf, type Known } from "./cases.ts";
import { ApiDocument, type Operation, type ResponseDoc } from "./document.ts";

/** The same in every run, so that a change is not blamed for what was there before; other seeds look further. */
const seed = Number(setting("TEST_SEED") ?? 1_468_407_538);
const runs = 80;

/** Where nothing is ever sent to. */
const nowhere = "https://receiver.invalid/";

/**
 * What is refused as malformed though it fits: rules about what else there is, which no schema can tell. Every other
 * refusal of what fits is a document that says too little.
 */
const semantic: ReadonlySet<string> = new Set([
  "DIGEST_MISMATCH",
  "INVALID_CLAIMS",
  "INVALID_SINCE",
  "INVALID_SUCCESSOR",
  "INVALID_TEAM",
  "INVALID_VISIBILITY",
  "MISSING_PART",
  "NOT_A_SERVICE_ACCOUNT",
  "OWNER_MISMATCH",
  "RESERVED_NAME",
  "SERVICE_ACCOUNT",
  "TOO_MANY_RIGHTS",
  "UNKNOWN_ISSUER",
  "UNKNOWN_OWNER",
  "UNKNOWN_USER",
  "UNSTABLE_CLAIMS",
  // Where it leads is judged, and what only looks like one.
  "INVALID_URL",
  // Sealed.
  "GET /api/v1/webhooks/{id}/deliveries INVALID_PAGE_TOKEN",
]);

/** Reads come first, and what takes things away last. */
const order = ["GET", "PUT", "POST", "PATCH", "DELETE"];

describe(`requests made from the OpenAPI document (TEST_SEED=${seed})`, () => {
  const world = createWorld("embedded", {
    REGISTRATION: "open",
    RATE_LIMIT_WRITES: "0",
    RATE_LIMIT_REGISTRATIONS: "0",
    RATE_LIMIT_TOKENS: "0",
    RATE_LIMIT_REPORTS: "0",
    RATE_LIMIT_PUBLISHES: "0",
  });
  let document: ApiDocument;
  let fixture: Fixture;
  let known: Known;
  beforeAll(async () => {
    document = new ApiDocument((await world.anonymous.gets("/openapi.json")).json());
    fixture = await createFixture(world);
    const open = world.name("open");
    const account = await world.user("spare");
    await publishAs(world.admin, open, "1.0.0", "public");
    const hook = await succeeds(fixture.callers.user, "POST", "/api/v1/webhooks", { url: nowhere });
    const ping = await succeeds(fixture.callers.user, "POST", `/api/v1/webhooks/${String(hook.id)}/test`);
    known = {
      name: [open, fixture.secret],
      version: ["1.0.0", "latest"],
      file: [`${open}-1.0.0.zip`, `${open}-1.0.0.tar.gz`],
      path: ["plugin.yaml", "CHANGELOG.md"],
      channel: ["latest"],
      username: [account.username],
      org: [fixture.org],
      team: [fixture.team],
      id: [String(hook.id)],
      delivery: [String(ping.id)],
    };
  }, 120_000);

  it("are never answered with a fault, and always as the document says", async () => {
    const operations = document.operations.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
    expect(operations.length).toBeGreaterThan(50);
    const { anonymous, user, admin } = fixture.callers;
    const told: string[] = [];
    for (const operation of operations) {
      // Whoever logs out is nobody for the rest.
      const isEnd = operation.path.endsWith("/logout");
      const actors = isEnd ? [anonymous] : [anonymous, user, admin, admin];
      const one = fc.asyncProperty(
        fc.constantFrom(...actors),
        casesOf(document, operation, known),
        async (actor, sent) => {
          const answer = await ask(actor, operation, sent);
          const wrong = judged(operation, actor, sent, answer);
          if (wrong !== undefined) throw new Error(`${wrong}\n${describeCase(operation, actor, sent, answer)}`);
        },
      );
      const result = await fc.check(one, { seed, numRuns: runs });
      if (result.failed) told.push(`${operation.label}: ${String(result.errorInstance)}`);
    }
    expect(told).toEqual([]);
  }, 180_000);

  function ask(actor: Actor, { method }: Operation, { url, body, type }: Case): Promise<Answer> {
    const headers = type === undefined ? {} : { headers: { "content-type": type } };
    return actor.request(method, url, { ...headers, ...(body === undefined ? {} : { body }) });
  }

  /** What is wrong with an answer; undefined where nothing is. */
  function judged(operation: Operation, actor: Actor, { kind }: Case, answer: Answer): string | undefined {
    const { status } = answer;
    if (status >= 500) return "a fault";
    const doc = operation.responses[status] ?? (status >= 400 ? operation.responses.default : undefined);
    if (doc === undefined) return "a status that is not documented";
    const wrong = mismatch(doc, answer);
    if (wrong !== undefined || kind === "odd") return wrong;
    if (operation.secured && actor.token === undefined) return status === 401 ? undefined : "nobody got in";
    if (kind === "broken") return status >= 400 ? undefined : "what does not fit was taken";
    const code = status === 400 ? answer.json<{ code: string }>().code : undefined;
    if (code === undefined || semantic.has(code) || semantic.has(`${operation.label} ${code}`)) return undefined;
    return "what fits was found malformed";
  }

  function mismatch({ content = {}, headers = {} }: ResponseDoc, answer: Answer): string | undefined {
    const missing = Object.entries(headers).find(
      ([name, { required }]) => required === true && !answer.headers.has(name),
    );
    if (missing !== undefined) return `no ${missing[0]}`;
    const types = Object.keys(content);
    if (types.length === 0) return answer.text === "" ? undefined : "a body where none is documented";
    const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
    const found = types.find((each) => each === "*/*" || each.split(";")[0] === type);
    if (found === undefined) return `content of the type ${type}`;
    const { schema } = content[found] ?? {};
    return schema === undefined ? undefined : document.complaint(schema, answer.json());
  }

  function describeCase({ method }: Operation, actor: Actor, { url, body, type, kind }: Case, answer: Answer): string {
    const sent = typeof body === "string" ? body.slice(0, 500) : body === undefined ? "" : `${body.length} bytes`;
    const who = actor.username === "" ? "anonymous" : actor.username;
    return `${kind}: ${who} ${method} ${url.slice(0, 500)} ${type ?? ""} ${sent}\n${answer.status} ${answer.text.slice(0, 500)}`;
  }
});
