import { Plugin, Release } from "@registry/contracts/catalog";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { problemSchema } from "./schemas.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";

let stack: FakeStack;
let said: string[];

const release = Release.fromPartial({ plugin: "pump", version: "1.0.0" });
const plugin = Plugin.fromPartial({ name: "pump" });

beforeAll(async () => {
  const hear = async ({ reason }: { reason: string }) => {
    said.push(reason);
    return { release, plugin };
  };
  stack = await startFakeStack({
    catalog: {
      yankRelease: hear,
      reviewRelease: hear,
      deleteRelease: hear,
      async deletePlugin({ reason }) {
        said.push(reason);
        return { deletedReleases: 1 };
      },
      async deprecate({ deprecation }) {
        said.push(deprecation?.message ?? "");
        return { release, plugin };
      },
    },
  });
});
afterAll(() => stack.close());
beforeEach(() => {
  said = [];
});

const one = "/api/v1/plugins/pump/versions/1.0.0";

async function send(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  const response = await fetch(`${stack.url}${path}`, {
    method,
    headers: { authorization: "Bearer admin", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const problemOf = ({ status, text }: { status: number; text: string }) => {
  const { code, detail, errors } = problemSchema.parse(JSON.parse(text));
  return { status, code, detail, pointer: errors?.[0]?.pointer };
};

const inBodies = [
  ["a yank", "reason", (text: string) => send("PUT", `${one}/yank`, { reason: text })],
  ["a review", "reason", (text: string) => send("POST", `${one}/review`, { decision: "release", reason: text })],
  ["a deprecation", "message", (text: string) => send("PUT", `${one}/deprecate`, { message: text })],
  ["a plugin's", "message", (text: string) => send("PUT", "/api/v1/plugins/pump/deprecate", { message: text })],
] as const;
const inQueries = [
  ["a deletion", "reason", (text: string) => send("DELETE", `${one}?reason=${encodeURIComponent(text)}`)],
  ["a plugin's", "reason", (text: string) => send("DELETE", `/api/v1/plugins/pump?reason=${encodeURIComponent(text)}`)],
] as const;

describe("short texts", () => {
  it.each([...inBodies, ...inQueries])(
    "of %s (%s) may have lines, tabs and any script",
    async (_what, _field, give) => {
      const text = "Leaks keys.\n\tUse 2.0 – größer, 日本語, עברית, 👩‍👩‍👧.";
      expect((await give(text)).status).toBeLessThan(300);
      expect(said).toEqual([text]);
    },
  );

  it.each([...inBodies, ...inQueries])("of %s (%s) hide and overwrite nothing", async (_what, field, give) => {
    const isQuery = inQueries.some(([, , each]) => each === give);
    // A half of a character cannot be spelt in a query.
    const halves = isQuery ? [] : ["\ud83d", "\udc69"];
    for (const piece of ["\u001b[2J", "\0", "\r", "\u0085", "\u202e", "\u2066", ...halves]) {
      const { detail, ...rest } = problemOf(await give(`fine ${piece} so far`));
      expect(rest).toEqual({ status: 400, code: isQuery ? "INVALID_QUERY" : "INVALID_BODY", pointer: `/${field}` });
      expect(detail).toMatch(/^(?:reason|message): expected plain text/);
    }
    expect(said).toEqual([]);
  });
});

describe("keys that are not known", () => {
  it.each([
    ["PUT", `${one}/yank`, { reasn: "leaks" }, "reasn"],
    ["POST", `${one}/review`, { decision: "reject", reason: "bad", resaon: "x" }, "resaon"],
    ["PUT", `${one}/deprecate`, { message: "old", succesor: "valve" }, "succesor"],
    ["PUT", "/api/v1/plugins/pump/deprecate", { message: "old", "": "" }, ""],
  ])("are refused by %s %s %j", async (method, path, body, key) => {
    const { detail, ...rest } = problemOf(await send(method, path, body));
    expect(rest).toEqual({ status: 400, code: "INVALID_BODY", pointer: `/${key}` });
    expect(detail).toMatch(new RegExp(`^"${key}" is not known here; known: .*(?:reason|message)`));
    expect(said).toEqual([]);
  });

  it("are told escaped and short, and the first of many", async () => {
    const body = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`\u001b${"k".repeat(80)}${i}`, 1]));
    const response = await send("PUT", `${one}/yank`, body);
    const { errors, detail } = problemSchema.parse(JSON.parse(response.text));
    expect(errors).toHaveLength(20);
    expect(detail).not.toContain("\u001b");
    expect(response.text.length).toBeLessThan(10_000);
  });
});
