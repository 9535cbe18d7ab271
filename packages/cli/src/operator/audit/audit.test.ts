import { spawn } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf } from "@registry/audit";
import type { AuditEntry } from "@registry/contracts/audit";
import { type Collection, openSqliteDocuments } from "@registry/documents";
import { inspectSettings } from "@registry/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planProcess } from "../../plan.ts";
import { type RegistryProcess, startRegistryProcess } from "../../registry-process.ts";
import { allSettings } from "../../settings.ts";

type Row = Omit<AuditEntry, "sequence"> & { readonly _id: number };

const program = join(import.meta.dirname, "../../../bin/agenticraft-registry.js");
let folder: string;
let registry: RegistryProcess | undefined;
const path = (name: string): string => join(folder, name);

async function start(): Promise<void> {
  const values = new Map([
    ["DATA_DIR", path("data")],
    ["PORT", "0"],
    ["GRPC_PORT", "0"],
    ["LOG_LEVEL", "silent"],
  ]);
  const { settings } = inspectSettings(allSettings, { values, fromFile: new Set() });
  registry = await startRegistryProcess(planProcess([], settings), settings);
}

async function stop(): Promise<void> {
  await registry?.close();
  registry = undefined;
}

/** Changes that leave a row each. */
async function makeUsers(...usernames: readonly string[]): Promise<void> {
  const token = (await readFile(path("data/admin-token"), "utf8")).trim();
  for (const username of usernames) {
    const response = await fetch(`${registry?.httpUrl}/api/v1/users`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ username, email: `${username}@example.org` }),
    });
    expect(response.status).toBe(201);
  }
}

/** Does something to the rows behind the registry's back, while it is stopped. */
async function tamper(change: (rows: Collection<Row>) => Promise<unknown>): Promise<void> {
  await stop();
  const documents = await openSqliteDocuments({ path: path("data/auth.db") });
  await change(await documents.collection<Row>({ name: "audit", indexes: [] }));
  await documents.close();
  await start();
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], settings: Record<string, string> = {}): Promise<Ended> {
  const place = { DATA_DIR: path("data"), AUTH_ADDR: registry?.grpcAddress ?? "127.0.0.1:1" };
  const child = spawn(process.execPath, [program, "audit", ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: path("compiled"), ...place, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 50_000,
  });
  const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

async function verdict(...args: readonly string[]): Promise<{ code: number | null; messages: readonly string[] }> {
  const { code, out, err } = await run(["verify", "--json", ...args]);
  expect(err).toBe("");
  const { problems } = JSON.parse(out) as { problems: readonly { message: string }[] };
  return { code, messages: problems.map(({ message }) => message) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-cli-"));
  await start();
});
afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a log as it was written", () => {
  it("is found whole, empty and with rows", async () => {
    const empty = await run(["verify"]);
    expect(empty).toMatchObject({ code: 0, err: "" });
    expect(empty.out).toMatch(/^ok: 0 rows follow each other, 1 signed head agrees; the log is empty\n$/);
    await makeUsers("ann", "bob", "cat", "dan", "eve", "fay");
    await stop();
    await start();
    await makeUsers("gil", "hal");
    const { code, out } = await run(["verify"]);
    expect(code).toBe(0);
    // The mark, and the end that was signed at the stop: in the store and in the file.
    expect(out).toMatch(/^ok: 8 rows follow each other, 3 signed heads agree; it ends at row 8, [0-9a-f]{64}\n$/);
  });

  it("is written down once, readable by its owner alone, and verifies there without the registry", async () => {
    const written = await run(["export", "--jsonl", "--output", "log.jsonl"]);
    expect(written).toEqual({ code: 0, out: "", err: "" });
    expect((await stat(path("log.jsonl"))).mode & 0o777).toBe(0o600);
    const lines = (await readFile(path("log.jsonl"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(8);
    expect(JSON.parse(lines[7] ?? "")).toMatchObject({ sequence: 8, action: "user.create", target: "hal" });
    const again = await run(["export", "-o", "log.jsonl"]);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("is there already") });
    expect((await run(["export", "--from", "7"])).out).toBe(`${lines.slice(6).join("\n")}\n`);
    const offline = await run(["verify", "--file", "log.jsonl"], { AUTH_ADDR: "127.0.0.1:1" });
    expect(offline).toMatchObject({
      code: 0,
      out: expect.stringContaining("ok: 8 rows follow each other, 1 signed head"),
    });
  });

  it("is signed for an auditor, who needs nothing else of the registry later", async () => {
    const { code, out } = await run(["head", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ sequence: 8, public_key: expect.stringContaining("BEGIN PUBLIC KEY") });
    expect((await run(["head"])).out).toMatch(/^sequence {3}8\nhash {7}[0-9a-f]{64}\n.*BEGIN PUBLIC KEY/s);
    await writeFile(path("auditor.jsonl"), out);
    const elsewhere = { DATA_DIR: path("nowhere"), AUTH_ADDR: "127.0.0.1:1" };
    const whole = await run(["verify", "--file", "log.jsonl", "--heads", "auditor.jsonl"], elsewhere);
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining("1 signed head agrees") });

    const { public_key: publicKey, ...bare } = JSON.parse(out);
    await writeFile(path("bare.jsonl"), JSON.stringify(bare));
    await writeFile(path("key.pem"), publicKey);
    const keyless = await run(["verify", "--file", "log.jsonl", "--heads", "bare.jsonl"], elsewhere);
    expect(keyless).toMatchObject({ code: 2, err: expect.stringContaining("--key") });
    const keyed = ["verify", "--file", "log.jsonl", "--heads", "bare.jsonl", "--key", "key.pem"];
    expect((await run(keyed, elsewhere)).code).toBe(0);

    await writeFile(path("forged.jsonl"), JSON.stringify({ ...bare, sequence: 7 }));
    const forged = await run(["verify", "--file", "log.jsonl", "--heads", "forged.jsonl"]);
    expect(forged).toMatchObject({ code: 1, out: expect.stringContaining("the head of row 7 is not signed by this") });
  });

  it("tells by 2 what it cannot read", async () => {
    expect((await run(["verify", "--file", "absent.jsonl"])).code).toBe(2);
    expect((await run(["verify", "--heads", "absent.jsonl"])).code).toBe(2);
    await writeFile(path("other.jsonl"), '{"hello": 1}\n');
    expect(await run(["verify", "--file", "other.jsonl"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/other\.jsonl, line 1 is no row of an audit log/),
    });
    expect(await run(["verify", "--key", "other.jsonl"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("PEM"),
    });
    expect(await run(["verify"], { AUTH_ADDR: "127.0.0.1:1" })).toMatchObject({
      code: 2,
      err: expect.stringContaining("No registry answers gRPC"),
    });
    const secret = { SECRET_KEY: "another secret that is long enough for it" };
    expect(await run(["verify"], secret)).toMatchObject({
      code: 2,
      err: expect.stringContaining("another SECRET_KEY"),
    });
    expect((await run(["export", "--from", "0"])).code).toBe(2);
    expect((await run(["verify", "--help"])).out).toContain("Examples:");
  });
});

describe("a log that somebody changed in the store", () => {
  it("has a row that was edited, and is whole again once that was taken back", async () => {
    await tamper((rows) => rows.updateOne({ _id: 3 }, { $set: { target: "mallory" } }));
    expect(await verdict()).toEqual({
      code: 1,
      messages: ["row 3 was changed: its hash is not that of what it says"],
    });
    await tamper((rows) => rows.updateOne({ _id: 3 }, { $set: { target: "cat" } }));
    expect(await verdict()).toEqual({ code: 0, messages: [] });
  });

  it("has a hole where a row was taken out", async () => {
    let taken: Row | null = null;
    await tamper(async (rows) => {
      taken = await rows.findOne({ _id: 4 });
      await rows.deleteOne({ _id: 4 });
    });
    expect(await verdict()).toEqual({ code: 1, messages: ["row 4 is missing"] });
    await tamper(async (rows) => {
      if (taken !== null) await rows.insertOne(taken);
    });
    expect((await verdict()).code).toBe(0);
  });

  it("was chained anew, with every hash as it should be: what was signed says otherwise, in the store and apart", async () => {
    const before: Row[] = [];
    await tamper(async (rows) => {
      before.push(...(await rows.find({ _id: { $gte: 5 } }, { sort: [["_id", 1]] })));
      let previousHash = before[0]?.previousHash ?? "";
      for (const { _id, ...row } of before) {
        const forged: AuditEntry = { ...row, sequence: _id, actor: "mallory", previousHash, hash: "" };
        previousHash = hashOf(forged);
        await rows.updateOne(
          { _id },
          { $set: { actor: "mallory", previousHash: forged.previousHash, hash: previousHash } },
        );
      }
    });
    const { code, messages } = await verdict();
    expect(code).toBe(1);
    const replaced = /^row [68] is not the one that the head of .* says: a row after 0 and up to [68] was replaced/;
    expect(messages.filter((message) => !replaced.test(message))).toEqual([]);
    for (const source of [
      "(the registry's own mark)",
      "(kept in the store)",
      `(${path("data/audit-heads.jsonl")}, line 1)`,
    ]) {
      expect(messages.some((message) => message.includes(source))).toBe(true);
    }
    const apart = await run(["verify", "--heads", "auditor.jsonl"]);
    expect(apart).toMatchObject({ code: 1, out: expect.stringContaining("(auditor.jsonl, line 1)") });
    await tamper(async (rows) => {
      for (const row of before) await rows.replaceOne({ _id: row._id }, row);
    });
    expect((await verdict()).code).toBe(0);
  });

  it("lost its tail, which does not grow again unseen", async () => {
    await tamper((rows) => rows.deleteMany({ _id: { $gte: 6 } }));
    expect(await verdict()).toMatchObject({
      code: 1,
      messages: [
        expect.stringMatching(/^the tail was cut off: the head of \S+ \(.*\) says 8 rows, the log ends at 5$/),
      ],
    });
    await makeUsers("ian");
    expect((await verdict()).messages[0]).toBe("rows 6 to 8 are missing");
  });
});

it("a file of heads with a line that a crash cut short is read all the same", async () => {
  await appendFile(path("data/audit-heads.jsonl"), '{"sequence":9,"ha');
  const { code, out } = await run(["verify", "--json"]);
  expect([code, JSON.parse(out).unreadable_heads]).toEqual([1, 1]);
});
