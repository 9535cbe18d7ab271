import { readFile } from "node:fs/promises";
import { ChainVerifier, headOf, type Verdict } from "@registry/audit";
import { type AuditEntry, AuditServiceDefinition, type GetAuditHeadResponse } from "@registry/contracts/audit";
import { isRegistryError } from "@registry/domain";
import type { Clients } from "@registry/kit";
import { Progress } from "../../package/progress.ts";
import { withOperator } from "../connect.ts";
import { Heads } from "./heads.ts";
import { publicKeysIn, readHeld } from "./keys.ts";
import { rowsOfFile, rowsOfRegistry } from "./rows.ts";

export interface VerifyCommand {
  readonly file?: string;
  readonly heads?: readonly string[];
  readonly key?: string;
  readonly json?: boolean;
  /** Settings file. */
  readonly env: string;
}

/** As many signed ends as the registry tells at once. */
const mostHeads = 1000;

/** Holds the log against its hashes and against every signed end at hand. @returns the exit code: 1 where it does not hold */
export async function verify(command: VerifyCommand): Promise<number> {
  const held = readHeld(command.env);
  const given = command.key === undefined ? [] : publicKeysIn(await readFile(command.key, "utf8"), command.key);
  const heads = new Heads([...(held.key === undefined ? [] : [held.key]), ...given]);
  const trusted = command.heads !== undefined;
  // Before the rows: what is signed while they are read would be beyond their end.
  for (const path of command.heads ?? held.headFiles) await heads.addFile(path, trusted);
  const { file } = command;
  const verdict =
    file === undefined
      ? await withOperator(command.env, ({ clients }) => verifyRegistry(clients, heads))
      : await check(rowsOfFile(file), heads);
  process.stdout.write(`${command.json === true ? jsonOf(verdict, heads) : textOf(verdict, heads)}\n`);
  return isWhole(verdict, heads) ? 0 : 1;
}

async function verifyRegistry(clients: Clients, heads: Heads): Promise<Verdict> {
  const { current, kept } = await askHeads(clients, heads);
  const now = current === undefined ? undefined : headOf(current);
  if (now !== undefined) heads.add(now, "the registry's own mark");
  for (const message of kept) {
    const head = headOf(message);
    if (head !== undefined) heads.add(head, "kept in the store");
  }
  return await check(rowsOfRegistry(clients, 1), heads);
}

/** Where the mark of the end was tampered with, the rows are worth a look all the same. */
async function askHeads(clients: Clients, heads: Heads): Promise<Pick<GetAuditHeadResponse, "current" | "kept">> {
  try {
    return await clients.of(AuditServiceDefinition).getAuditHead({ limit: mostHeads }, { as: "service" });
  } catch (error) {
    if (!isRegistryError(error) || error.reason !== "AUDIT_END_FORGED") throw error;
    heads.forged.push(error.message);
    return { current: undefined, kept: [] };
  }
}

async function check(rows: AsyncIterable<AuditEntry>, heads: Heads): Promise<Verdict> {
  const verifier = new ChainVerifier(heads.checked);
  const progress = new Progress(process.stderr);
  try {
    for await (const row of rows) {
      verifier.add(row);
      progress.tell(`checked up to row ${row.sequence}`);
    }
  } finally {
    progress.end();
  }
  return verifier.verdict();
}

function isWhole({ problemCount }: Verdict, { forged }: Heads): boolean {
  return problemCount + forged.length === 0;
}

function jsonOf(verdict: Verdict, heads: Heads): string {
  const forged = heads.forged.map((message) => ({ kind: "forged", sequence: null, message }));
  return JSON.stringify({
    result: isWhole(verdict, heads) ? "ok" : "tampered",
    rows: verdict.rows,
    end: verdict.end,
    heads: verdict.heads,
    unreadable_heads: heads.unreadable,
    problem_count: verdict.problemCount + forged.length,
    problems: [...verdict.problems, ...forged],
  });
}

function textOf(verdict: Verdict, heads: Heads): string {
  const { rows, end, problems, problemCount } = verdict;
  const unreadable = heads.unreadable === 0 ? [] : [`${heads.unreadable} lines of files of heads could not be read`];
  if (isWhole(verdict, heads)) {
    const agreeing = `${verdict.heads} signed ${verdict.heads === 1 ? "head agrees" : "heads agree"}`;
    const ends = end.sequence === 0 ? "the log is empty" : `it ends at row ${end.sequence}, ${end.hash}`;
    return [`ok: ${rows} rows follow each other, ${agreeing}; ${ends}`, ...unreadable].join("\n");
  }
  const hidden = problemCount - problems.length;
  const lines = [...problems.map(({ message }) => message), ...heads.forged, ...unreadable];
  if (hidden > 0) lines.push(`and ${hidden} more`);
  return [`tampered: the audit log is not what was written`, ...lines.map((line) => `  ${line}`)].join("\n");
}
