import { createHash } from "node:crypto";
import {
  type PublishReleaseRequest,
  type PublishReleaseResponse,
  ReleaseState,
  ReviewState,
  Visibility,
} from "@registry/contracts/catalog";
import { RegistryError } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { problemSchema, publishedSchema, triedSchema } from "./schemas.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { formHeaders, multipartBody } from "./testing/http.ts";

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

function post(query: string, path = "/api/v1/plugins", token = "publisher"): Promise<Response> {
  const body = multipartBody([{ name: "package", filename: "p.zip", content: bytes }]);
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
