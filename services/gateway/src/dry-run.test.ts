import { createHash } from "node:crypto";
import {
  type PublishReleaseRequest,
  type PublishReleaseResponse,
  ReleaseState,
  ReviewState,
  Visibility,
} from "@registry/contracts/catalog";
import { RegistryError } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { problemSchema, publishedSchema, triedSchema } from "./schemas.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { formHeaders, multipartBody, type Part } from "./testing/http.ts";

const { RELEASE_STATE_PUBLISHED: open, RELEASE_STATE_STAGED: staged } = ReleaseState;
const bytes = Buffer.from("the bytes of a package");
const sha256 = createHash("sha256").update(bytes).digest("hex");
const finding = { rule: "r", severity: "medium", message: "m", file: "a.py", line: 2, pointer: "", action: "warn" };

let stack: FakeStack;
let requests: PublishReleaseRequest[];
let uploaded: number;
let aborted: string[];
let reads: number;
let answers: (request: PublishReleaseRequest) => Promise<{ state: ReleaseState; created: boolean }>;

const review = { state: ReviewState.REVIEW_STATE_PENDING, reasons: ["it says so"] };

beforeAll(async () => {
  stack = await startFakeStack({
    storage: {
      async uploadPackage(messages) {
        for await (const _ of messages);
        uploaded += 1;
        return { upload: { id: `upload-${uploaded}`, sha256, size: bytes.length } };
      },
      async abortUpload({ uploadId }) {
        aborted.push(uploadId);
        return {};
      },
    },
    catalog: {
      async publishRelease(request): Promise<Partial<PublishReleaseResponse>> {
        requests.push(request);
        const { state, created } = await answers(request);
        return {
          plugin: { name: "pump", visibility: Visibility.VISIBILITY_PUBLIC },
          release: {
            ...{ plugin: "pump", version: "1.0.0", sha256, size: bytes.length, container: "zip", state },
            ...{ findings: [finding], ...(state === staged ? { review } : {}) },
          },
          created,
        } as Partial<PublishReleaseResponse>;
      },
      async getRegistryInfo() {
        reads += 1;
        return { pluginsCount: 1 };
      },
    },
  });
});
afterAll(() => stack.close());
beforeEach(() => {
  requests = [];
  aborted = [];
  uploaded = 0;
  reads = 0;
  answers = async () => ({ state: open, created: true });
});

const packagePart: Part = { name: "package", filename: "p.zip", content: bytes };

function post(query: string, path = "/api/v1/plugins", token = "publisher", parts = [packagePart]): Promise<Response> {
  const body = multipartBody(parts);
  const headers = { authorization: `Bearer ${token}`, ...formHeaders };
  return fetch(`${stack.url}${path}${query}`, { method: "POST", headers, body });
}

it("is asked for with true or 1, under both spellings, and drops the upload itself", async () => {
  for (const path of ["/api/v1/plugins", "/api/v1/plugins/publish"]) {
    for (const query of ["?dry_run=true", "?dry_run=1"]) {
      const response = await post(query, path);
      expect([response.status, response.headers.get("location")]).toEqual([200, null]);
      const answer = triedSchema.parse(await response.json());
      expect(answer).toMatchObject({ plugin: "pump", version: "1.0.0", sha256, size: bytes.length });
      expect(answer).toMatchObject({ state: "published", verdict: "accepted", exists: false, review: null });
      expect(answer.findings).toEqual([{ ...finding, pointer: null }]);
      expect(answer).not.toHaveProperty("download_url");
    }
  }
  expect(requests.map(({ dryRun }) => dryRun)).toEqual([true, true, true, true]);
  expect(aborted).toEqual(["upload-1", "upload-2", "upload-3", "upload-4"]);
});

describe("as a form field", () => {
  const paths = ["/api/v1/plugins", "/api/v1/plugins/publish"];
  const field = (name: string, content: string): Part => ({ name, content });
  const send = (query: string, parts: Part[], path?: string) => post(query, path, "publisher", parts);

  it.each(["true", "1"])(
    "is asked for with %s, before and behind the package, alone and beside the query",
    async (yes) => {
      for (const path of paths) {
        for (const query of ["", "?dry_run=true", "?dry_run=1"]) {
          for (const parts of [
            [packagePart, field("dry_run", yes)],
            [field("dry_run", yes), packagePart],
          ]) {
            const response = await send(query, parts, path);
            expect([query, response.status]).toEqual([query, 200]);
            triedSchema.parse(await response.json());
          }
        }
      }
      expect(requests.every(({ dryRun }) => dryRun)).toBe(true);
      expect(aborted).toHaveLength(uploaded);
    },
  );

  it("is not meant by false or 0, and asked for by the query all by itself", async () => {
    for (const no of ["false", "0"]) {
      for (const query of ["", "?dry_run=false"]) {
        expect((await send(query, [packagePart, field("dry_run", no)])).status).toBe(201);
      }
    }
    expect((await send("?dry_run=true", [packagePart])).status).toBe(200);
  });

  it("is refused where it says otherwise than the query, and leaves nothing", async () => {
    for (const [query, word] of [
      ["?dry_run=true", "false"],
      ["?dry_run=0", "1"],
    ] as const) {
      const response = await send(query, [packagePart, field("dry_run", word)]);
      const { code, errors } = problemSchema.parse(await response.json());
      expect([response.status, code, errors?.[0]?.pointer]).toEqual([400, "INVALID_FIELD", "/dry_run"]);
    }
    expect(requests).toEqual([]);
    expect(aborted).toHaveLength(uploaded);
  });

  it.each(["yes", "TRUE", "", "2", " true"])("is refused as %j", async (value) => {
    const response = await send("", [packagePart, field("dry_run", value)]);
    const { code, errors } = problemSchema.parse(await response.json());
    expect([response.status, code, errors?.[0]?.pointer]).toEqual([400, "INVALID_FIELD", "/dry_run"]);
    expect(requests).toEqual([]);
    expect(aborted).toHaveLength(uploaded);
  });

  it.each([
    ["dryRun", "dry_run"],
    ["dry-run", "dry_run"],
    ["DRYRUN", "dry_run"],
    ["dry run", "dry_run"],
    ["dry_run[]", "dry_run"],
    ["Visibility", "visibility"],
    ["sha-256", "sha256"],
    ["Manifest", "manifest"],
    ["Package", "package"],
  ])("is not published for real because it is spelt %s", async (name, meant) => {
    for (const parts of [
      [packagePart, field(name, "true")],
      [field(name, "true"), packagePart],
    ]) {
      const response = await send("", parts);
      const { code, detail, errors } = problemSchema.parse(await response.json());
      expect([response.status, code]).toEqual([400, "INVALID_FIELD"]);
      expect(detail).toContain(`"${meant}"`);
      expect(errors).toHaveLength(1);
    }
    expect(requests).toEqual([]);
    expect(aborted).toHaveLength(uploaded);
  });

  it("passes over fields that other clients send", async () => {
    expect((await send("", [packagePart, field("metadata", "{}"), field("tags", "a")])).status).toBe(201);
  });
});

it.each([
  "dryrun=true",
  "dry-run=1",
  "DRY_RUN=true",
  "dry_run=true&dryRun=true",
  "visibility=private",
  "%00=1",
  "__proto__=1",
])("refuses the unknown parameter in ?%s on both routes before anything is read", async (query) => {
  for (const path of ["/api/v1/plugins", "/api/v1/plugins/publish"]) {
    const response = await post(`?${query}`, path);
    const { code, detail, errors } = problemSchema.parse(await response.json());
    expect([response.status, code]).toEqual([400, "INVALID_QUERY"]);
    const name = decodeURIComponent(query.replace("dry_run=true&", "").split("=")[0] ?? "");
    expect(detail).toContain(name === "\0" ? "\\u{0}" : `"${name}"`);
    expect(detail).toContain("known: dry_run");
    expect(errors).toHaveLength(1);
  }
  expect([requests, uploaded]).toEqual([[], 0]);
});

it("is not meant by false, 0 or silence", async () => {
  for (const query of ["?dry_run=false", "?dry_run=0", ""]) {
    const response = await post(query);
    expect(response.status).toBe(201);
    expect(publishedSchema.parse(await response.json())).not.toHaveProperty("dry_run");
  }
  expect(requests.map(({ dryRun }) => dryRun)).toEqual([false, false, false]);
  expect(aborted).toEqual([]);
});

it.each(["yes", "TRUE", "", "2", "true&dry_run=true"])("refuses dry_run=%s before anything is read", async (value) => {
  const response = await post(`?dry_run=${value}`);
  const { code, errors, detail } = problemSchema.parse(await response.json());
  expect([response.status, code, errors?.[0]?.pointer]).toEqual([400, "INVALID_QUERY", "/dry_run"]);
  expect(detail).toMatch(/^dry_run: /);
  expect([requests, uploaded]).toEqual([[], 0]);
});

it("tells what would wait, and what is there already", async () => {
  answers = async () => ({ state: staged, created: true });
  const held = triedSchema.parse(await (await post("?dry_run=true")).json());
  expect(held).toMatchObject({ verdict: "held", state: "staged", exists: false });
  expect(held.review).toMatchObject({ state: "pending", reasons: ["it says so"] });
  answers = async () => ({ state: open, created: false });
  const known = triedSchema.parse(await (await post("?dry_run=true")).json());
  expect(known).toMatchObject({ verdict: "accepted", state: "published", exists: true });
});

it("is refused as a real publish is, and drops the upload then, too", async () => {
  const refusals = [
    new RegistryError("rejected", "CHECKS_FAILED", "The package was refused", {
      fields: [{ pointer: "archive:a.js", reason: "r: m (a.js:3)" }],
    }),
    new RegistryError("already_exists", "RELEASE_EXISTS", "other bytes"),
    new TypeError("a bug"),
  ];
  for (const refusal of refusals) {
    answers = () => Promise.reject(refusal);
    const [real, dry] = [await post(""), await post("?dry_run=true")];
    const problems = [real, dry].map(async (response) => {
      const { request_id: _, ...rest } = problemSchema.parse(await response.json());
      return { status: response.status, rest };
    });
    const [told, toldDry] = await Promise.all(problems);
    expect(toldDry).toEqual(told);
  }
  expect(aborted).toHaveLength(uploaded);
  for (const token of ["reader", "nobody"]) {
    expect((await post("?dry_run=true", undefined, token)).status).toBe(token === "reader" ? 403 : 401);
  }
  expect(aborted).toHaveLength(uploaded);
});

it("leaves every kept answer as it is, which a real publish does not", async () => {
  const readsOf = async (): Promise<number> => {
    const before = reads;
    await (await fetch(`${stack.url}/`)).text();
    return reads - before;
  };
  await vi.waitFor(async () => expect(await readsOf()).toBe(0));
  expect((await post("?dry_run=true")).status).toBe(200);
  expect(await readsOf()).toBe(0);
  expect((await post("")).status).toBe(201);
  expect(await readsOf()).toBe(1);
});

it("tells of a publish that waits what it waits for, and where only its owner finds it", async () => {
  answers = async () => ({ state: staged, created: true });
  const response = await post("");
  expect(response.status).toBe(202);
  const answer = publishedSchema.parse(await response.json());
  expect(answer).toMatchObject({ state: "staged", review: { state: "pending", reasons: ["it says so"] } });
  expect(answer.findings).toHaveLength(1);
  expect(answer.download_url).toContain("ticket=");
});
