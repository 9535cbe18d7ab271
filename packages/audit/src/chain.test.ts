import { generateKeyPairSync } from "node:crypto";
import type { AuditEntry } from "@registry/contracts/audit";
import { deriveKeys } from "@registry/kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalRow, exportLine, genesisHash, hashOf, parseExportLine } from "./chain.ts";
import { parseHeadLine, signHead, verifyHead } from "./head.ts";
import { ChainVerifier, type CheckedHead } from "./verifier.ts";

const text = fc.string({ unit: "binary", maxLength: 40 }).map((value) => value.toWellFormed());
const entries: fc.Arbitrary<AuditEntry> = fc.record({
  sequence: fc.nat(),
  id: text,
  time: fc.date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true }),
  actorType: text,
  actor: text,
  actorId: fc.nat(),
  tokenId: text,
  address: text,
  via: text,
  action: text,
  target: text,
  organisation: text,
  beforeJson: text,
  afterJson: text,
  result: text,
  reason: text,
  requestId: text,
  previousHash: text,
  hash: text,
});

const first: AuditEntry = {
  sequence: 1,
  id: "6f0c8c2e-0000-4000-8000-000000000001",
  time: new Date("2026-01-31T08:00:00.123Z"),
  actorType: "user",
  actor: "olga",
  actorId: 11,
  tokenId: "login:00ff",
  address: "2001:db8::1",
  via: "gateway",
  action: "release.yank",
  target: "@größe/pump@1.0.0",
  organisation: "größe",
  beforeJson: '{"reason":"","state":"published"}',
  afterJson: '{"reason":"a \\"quote\\"\\n","state":"yanked"}',
  result: "ok",
  reason: "",
  requestId: "req-1",
  previousHash: genesisHash,
  hash: "",
};

/** A whole log of so many rows. */
function chain(length: number): AuditEntry[] {
  const rows: AuditEntry[] = [];
  for (let sequence = 1; sequence <= length; sequence++) {
    const row = { ...first, id: `row-${sequence}`, sequence, previousHash: rows.at(-1)?.hash ?? genesisHash };
    rows.push({ ...row, hash: hashOf(row) });
  }
  return rows;
}

function headOf(row: AuditEntry | undefined): CheckedHead {
  return {
    sequence: row?.sequence ?? 0,
    hash: row?.hash ?? "",
    time: new Date("2026-02-01T00:00:00Z"),
    source: "kept",
  };
}

function judge(rows: readonly AuditEntry[], heads: readonly CheckedHead[] = []) {
  const verifier = new ChainVerifier(heads);
  for (const row of rows) verifier.add(row);
  return verifier.verdict();
}

const told = (rows: readonly AuditEntry[], heads: readonly CheckedHead[] = []): string[] =>
  judge(rows, heads).problems.map(({ message }) => message);

describe("the hash of a row", () => {
  it("is what another program computes: sorted keys, no white space, UTF-8", () => {
    // Computed with Python: hashlib.sha256(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    expect(hashOf(first)).toBe("92293eda505f30dab9e5cf6fb604973175d78f22cc9566c59c27f708584647e7");
    expect(Object.keys(JSON.parse(canonicalRow(first)))).toEqual(Object.keys(JSON.parse(canonicalRow(first))).sort());
  });

  it("is that of its line in an export without the hash, and the line reads back as the row", () => {
    fc.assert(
      fc.property(entries, (row) => {
        const { hash, ...rest } = JSON.parse(exportLine(row));
        expect(hash).toBe(row.hash);
        expect(JSON.stringify(rest)).toBe(canonicalRow(row));
        expect(parseExportLine(exportLine(row))).toEqual(row);
      }),
    );
  });

  it("changes with any field", () => {
    for (const key of Object.keys(first).filter((field) => field !== "hash")) {
      const value = first[key as keyof AuditEntry];
      const other = value instanceof Date ? new Date(0) : typeof value === "number" ? value + 1 : `${value}x`;
      expect([key, hashOf({ ...first, [key]: other }) === hashOf(first)]).toEqual([key, false]);
    }
  });

  it("is not hidden from by a line that says more, less or the same in other words", () => {
    const line = JSON.parse(exportLine(first));
    for (const wrong of [
      { ...line, note: "x" },
      { ...line, actor: undefined },
      { ...line, actor_id: "11" },
      [],
      null,
    ]) {
      expect(() => parseExportLine(JSON.stringify(wrong))).toThrow();
    }
    expect(() => parseExportLine(JSON.stringify({ ...line, time: "2026-01-31T09:00:00.123+01:00" }))).toThrow("time");
  });
});

describe("a verification", () => {
  const rows = chain(20);
  const without = (sequence: number) => rows.filter((row) => row.sequence !== sequence);
  const edited = (sequence: number, change: Partial<AuditEntry>) =>
    rows.map((row) => (row.sequence === sequence ? { ...row, ...change } : row));
  const rechained = (from: number): AuditEntry[] => {
    const result = rows.slice(0, from - 1);
    for (const row of rows.slice(from - 1)) {
      const next = { ...row, actor: "mallory", previousHash: result.at(-1)?.hash ?? genesisHash };
      result.push({ ...next, hash: hashOf(next) });
    }
    return result;
  };

  it("finds nothing in a whole log, also an empty one", () => {
    expect(judge(rows, [headOf(rows[9]), headOf(rows[19])])).toMatchObject({ rows: 20, heads: 2, problemCount: 0 });
    expect(judge([], [{ ...headOf(undefined), hash: genesisHash }])).toMatchObject({
      rows: 0,
      problemCount: 0,
      heads: 1,
    });
  });

  it("finds a row that was changed, and no other", () => {
    expect(told(edited(7, { actor: "mallory" }))).toEqual(["row 7 was changed: its hash is not that of what it says"]);
  });

  it("finds one whose hash was made to fit", () => {
    const row = { ...rows[6], actor: "mallory" } as AuditEntry;
    expect(told(edited(7, { ...row, hash: hashOf(row) }))).toEqual([
      "row 8 does not follow: it was written after another row 7",
    ]);
  });

  it("finds what is missing in the middle, at the start and at the end", () => {
    expect(told(without(7))).toEqual(["row 7 is missing"]);
    expect(told(rows.slice(3))).toEqual(["rows 1 to 3 are missing"]);
    expect(told(rows.slice(0, 15), [headOf(rows[17]), headOf(rows[19])])).toEqual([
      "the tail was cut off: the head of 2026-02-01T00:00:00.000Z (kept) says 20 rows, the log ends at 15",
    ]);
    expect(told([], [headOf(rows[0])])).toEqual([
      "the tail was cut off: the head of 2026-02-01T00:00:00.000Z (kept) says 1 row, the log is empty",
    ]);
  });

  it("finds a tail that was chained anew only by what was signed", () => {
    expect(told(rechained(12))).toEqual([]);
    expect(told(rechained(12), [headOf(rows[9]), headOf(rows[14])])).toEqual([
      "row 15 is not the one that the head of 2026-02-01T00:00:00.000Z (kept) says: a row after 10 and up to 15 was replaced and the rest chained anew",
    ]);
  });

  it("finds rows out of their order, and a log that begins with another one's row", () => {
    expect(judge([...rows.slice(0, 5), ...rows.slice(3)]).problems[0]).toMatchObject({ kind: "order", sequence: 4 });
    const [begin] = rows;
    const foreign = { ...begin, previousHash: "f".repeat(64) } as AuditEntry;
    expect(told([{ ...foreign, hash: hashOf(foreign) }])).toEqual(["row 1 does not follow: it does not begin the log"]);
  });

  it("counts what it does not tell", () => {
    const all = rows.flatMap((row) => Array.from({ length: 10 }, () => ({ ...row, hash: "" })));
    const verdict = judge(all);
    expect(verdict.problems).toHaveLength(100);
    expect(verdict.problemCount).toBeGreaterThan(180);
  });

  it("finds any single edit of any row", () => {
    const fields = [
      "id",
      "actor",
      "action",
      "target",
      "beforeJson",
      "afterJson",
      "result",
      "address",
      "tokenId",
    ] as const;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.constantFrom(...fields), text, (sequence, field, value) => {
        fc.pre(rows[sequence - 1]?.[field] !== value);
        expect(judge(edited(sequence, { [field]: value })).problems[0]).toMatchObject({ kind: "changed", sequence });
      }),
    );
  });
});

describe("a signed head", () => {
  const keys = deriveKeys("the secret of these tests, long enough");
  const others = deriveKeys("the secret of another registry, as long");
  const head = signHead(keys, { sequence: 7, hash: "a".repeat(64) }, new Date("2026-02-01T00:00:00Z"));

  it("holds under the registry's key for that alone, for what it says alone", () => {
    expect(verifyHead([others.audit.verifying, keys.audit.verifying], head)).toBe(true);
    expect(verifyHead([others.audit.verifying, keys.verifying], head)).toBe(false);
    expect(verifyHead([keys.audit.verifying], { ...head, sequence: 8 })).toBe(false);
    expect(verifyHead([keys.audit.verifying], { ...head, hash: "b".repeat(64) })).toBe(false);
    expect(verifyHead([keys.audit.verifying], { ...head, time: new Date(0) })).toBe(false);
    expect(verifyHead([keys.audit.verifying], { ...head, time: new Date(Number.NaN) })).toBe(false);
    expect(verifyHead([generateKeyPairSync("ed25519").publicKey], head)).toBe(false);
  });

  it("reads back from its line", () => {
    const line = { sequence: 7, hash: head.hash, time: head.time.toISOString(), signature: head.signature };
    expect(parseHeadLine(JSON.stringify(line))).toEqual({ head, publicKey: undefined });
    expect(parseHeadLine(JSON.stringify({ ...line, public_key: "pem" })).publicKey).toBe("pem");
    for (const wrong of [
      { ...line, sequence: -1 },
      { ...line, hash: "x" },
      { ...line, time: "then" },
      { ...line, signature: 1 },
      7,
    ]) {
      expect(() => parseHeadLine(JSON.stringify(wrong))).toThrow();
    }
  });
});
