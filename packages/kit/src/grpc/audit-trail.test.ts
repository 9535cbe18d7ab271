import { StorageServiceDefinition } from "@registry/contracts/storage";
import { anonymous, type Caller, type ErrorKind, isRegistryError, RegistryError } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTestSurroundings, type TestSurroundings, userCaller } from "../testing.ts";
import {
  type AuditBegin,
  type AuditJournal,
  type AuditNote,
  admins,
  anyone,
  type CallContext,
  defineService,
  journaled,
  type ServiceClient,
} from "./table.ts";

/** Writes down what it is told, in order. */
class Told implements AuditJournal {
  readonly lines: string[] = [];
  readonly notes = new Map<string, AuditNote>();
  readonly begun = new Map<string, AuditBegin>();
  canBegin = true;

  async begin(entry: AuditBegin): Promise<void> {
    if (!this.canBegin) throw new RegistryError("unavailable", "UNAVAILABLE", "The journal is away");
    this.begun.set(entry.id, entry);
    this.lines.push(`begin ${entry.action}`);
  }
  async end(id: string, result: string, note: AuditNote, reason: string): Promise<void> {
    this.notes.set(id, note);
    this.lines.push(`end ${result} ${reason}`.trim());
  }
  async drop(): Promise<void> {
    this.lines.push("drop");
  }
  async refuse(entry: AuditBegin, reason: string): Promise<void> {
    this.begun.set(entry.id, entry);
    this.lines.push(`refuse ${entry.action} ${reason}`);
  }
}

const admin = userCaller("ada", "admin", 1);
const user = userCaller("rita", "user", 13);

let journal: Told;
let around: TestSurroundings;
let client: ServiceClient<typeof StorageServiceDefinition>;
/** What the audited method does. */
let work: (context: CallContext) => Promise<void>;

beforeEach(() => {
  journal = new Told();
  around = createTestSurroundings();
  work = async () => undefined;
  const unused = { allow: anyone, handle: () => Promise.reject(new Error("not part of this test")) };
  const unusedStream = { allow: anyone, handle: async function* () {} };
  const table = defineService(StorageServiceDefinition, {
    uploadPackage: unused,
    getUpload: unused,
    commitUpload: unused,
    runPackageTests: unused,
    presignBlob: unused,
    check: unused,
    readBlob: unusedStream,
    readPackageFile: unusedStream,
    abortUpload: {
      allow: anyone,
      audit: ({ uploadId }) => ({ action: "upload.abort", target: uploadId }),
      handle: async (_request, context) => {
        await work(context);
        return {};
      },
    },
    collectGarbage: {
      allow: admins,
      audit: () => ({ action: "storage.collect" }),
      maxDurationMs: 300,
      handle: async (_request, context) => {
        await work(context);
        return {};
      },
    },
  });
  for (const hosted of journaled([table], journal)) around.host(hosted);
  client = around.clients.of(StorageServiceDefinition);
});
afterEach(() => around.close());

const abort = (caller: Caller) => client.abortUpload({ uploadId: "u-1" }, around.as(caller));
const collect = (caller: Caller) => client.collectGarbage({ dryRun: false }, around.as(caller));

async function kindOf(call: Promise<unknown>): Promise<ErrorKind | "none"> {
  try {
    await call;
    return "none";
  } catch (error) {
    if (isRegistryError(error)) return error.kind;
    throw error;
  }
}

describe("a call that changes something", () => {
  it("is told before it is made and when it was, with who, from where, and what the handler noted", async () => {
    work = async (context) => {
      expect(journal.lines).toEqual(["begin upload.abort"]);
      context.audit({ before: { state: "a" }, after: { state: "b" } });
      context.audit({ after: { state: "c" }, organisation: "acme" });
    };
    await abort(user);
    expect(journal.lines).toEqual(["begin upload.abort", "end ok"]);
    const [begun] = journal.begun.values();
    expect(begun).toMatchObject({ caller: user, target: "u-1", via: "gateway", address: "127.0.0.1" });
    expect(begun?.requestId).not.toBe("");
    expect([...journal.notes.values()]).toEqual([
      { before: { state: "a" }, after: { state: "c" }, organisation: "acme" },
    ]);
  });

  it("is not made where it cannot be written down", async () => {
    journal.canBegin = false;
    let isDone = false;
    work = async () => {
      isDone = true;
    };
    expect(await kindOf(abort(user))).toBe("unavailable");
    expect(isDone).toBe(false);
  });

  it("leaves no row where nothing came of it", async () => {
    work = async (context) => context.audit({ unchanged: true });
    await abort(user);
    expect(journal.lines).toEqual(["begin upload.abort", "drop"]);
  });

  it.each([
    ["invalid_argument", "drop"],
    ["not_found", "drop"],
    ["already_exists", "drop"],
    ["conflict", "drop"],
    ["rejected", "drop"],
    ["rate_limited", "drop"],
    ["permission_denied", "end denied WHY"],
    ["unauthenticated", "end denied WHY"],
    ["unavailable", "end failed WHY"],
    ["internal", "end failed WHY"],
  ] as const)("that fails with %s ends as `%s`", async (kind, line) => {
    work = () => Promise.reject(new RegistryError(kind, "WHY", "because"));
    expect(await kindOf(abort(user))).toBe(kind);
    expect(journal.lines).toEqual(["begin upload.abort", line]);
  });

  it("that fails by a fault of ours may have changed something", async () => {
    work = () => Promise.reject(new TypeError("oops"));
    expect(await kindOf(abort(user))).toBe("internal");
    expect(journal.lines.at(-1)).toBe("end failed INTERNAL");
  });

  it("is followed to its end, though its caller was told that time ran out", async () => {
    const finish = Promise.withResolvers<void>();
    work = () => finish.promise;
    expect(await kindOf(collect(admin))).toBe("deadline_exceeded");
    expect(journal.lines).toEqual(["begin storage.collect"]);
    finish.resolve();
    await vi.waitFor(() => expect(journal.lines.at(-1)).toBe("end ok"));
  });

  it("that broke off when time ran out may have changed something", async () => {
    work = ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("torn"))));
    expect(await kindOf(collect(admin))).toBe("deadline_exceeded");
    await vi.waitFor(() => expect(journal.lines.at(-1)).toBe("end failed DEADLINE_EXCEEDED"));
  });
});

describe("a call that is refused", () => {
  it("by the policy is told of users, and nobody without a credential", async () => {
    expect(await kindOf(collect(user))).toBe("permission_denied");
    expect(await kindOf(collect(anonymous))).toBe("unauthenticated");
    expect(journal.lines).toEqual(["refuse storage.collect PERMISSION_DENIED"]);
  });

  it("again and again is told sixty times a minute for each actor, and counted beyond", async () => {
    for (let i = 0; i < 70; i++) await kindOf(collect(user));
    expect(journal.lines).toHaveLength(60);
    const other = userCaller("stefan", "user", 14);
    expect(await kindOf(collect(other))).toBe("permission_denied");
    expect(journal.lines).toHaveLength(61);
    const { values } = await around.metrics.auditSpared.get();
    expect(values[0]?.value).toBe(10);
  });

  it("from one address without a credential is bounded as well", async () => {
    work = () => Promise.reject(new RegistryError("unauthenticated", "INVALID_CREDENTIAL", "no"));
    for (let i = 0; i < 65; i++) await kindOf(abort(anonymous));
    expect(journal.lines.filter((line) => line.startsWith("end denied"))).toHaveLength(60);
    expect(journal.lines.filter((line) => line === "drop")).toHaveLength(5);
  });
});
