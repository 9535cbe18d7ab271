import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type Finding, type Inspection, inspectArchive } from "@registry/archive";
import {
  type Claimed,
  checksFailed,
  type FieldError,
  isRegistryError,
  judge,
  type RegistryError,
  readIdentity,
  type WithAction,
} from "@registry/domain";
import { packageTooLarge, publishStatuses, statusOf } from "@registry/service-gateway/http-errors";
import { bringsTests } from "@registry/service-storage/plugin-tests";
import type { PackageRules } from "./settings.ts";

export interface FindingShown {
  readonly rule: string;
  readonly severity: string;
  /** `refuse`, `hold` or `warn`; what the policy ignores is not shown. */
  readonly action: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly pointer: string | null;
}

/** What a registry would make of a package, as far as that does not depend on what the registry holds. */
export interface Verdict {
  readonly verdict: "accepted" | "held" | "refused";
  /** What the publish of new bytes would answer: 201, 202 or the refusal's status. */
  readonly status: number;
  /** The refusal's reason, as in its problem document; null where nothing is refused. */
  readonly code: string | null;
  readonly detail: string | null;
  readonly errors: readonly FieldError[];
  /** Null where neither the package nor the options say it. */
  readonly name: string | null;
  readonly version: string | null;
  /** Null where the package was refused before it was known, as the next ones. */
  readonly format: string | null;
  readonly kind: string | null;
  readonly container: string | null;
  /** Bytes as uploaded. */
  readonly size: number | null;
  readonly sha256: string | null;
  /** How many files it holds. */
  readonly files: number | null;
  readonly findings: readonly FindingShown[];
}

export interface JudgeOptions extends PackageRules {
  /** What the publish form says beside the package; empty where it says nothing. */
  readonly requested: Claimed;
  /** True: a name or version that nobody gave yet will come with the publish form, and is no reason to refuse. */
  readonly identityMayFollow?: boolean;
}

type Known = Partial<Omit<Verdict, "verdict" | "status" | "code" | "detail" | "errors">>;

const nothing = {
  name: null,
  version: null,
  format: null,
  kind: null,
  container: null,
  size: null,
  sha256: null,
  files: null,
  findings: [],
} as const;

/** The verdict of a refusal, with what was known of the package when it came. */
export function refusedBy(error: RegistryError, known: Known = {}): Verdict {
  const { kind, reason, message, fields } = error;
  const errors = fields.map(({ pointer, reason }) => ({ pointer, reason }));
  return { verdict: "refused", status: statusOf(kind), code: reason, detail: message, errors, ...nothing, ...known };
}

/**
 * Judges a package in the order in which the registry does, so that of several flaws the same one is told: size,
 * structure, manifest and content, then name and version, then the policy.
 * @param path a regular file
 * @throws what the file system throws
 */
export async function judgeFile(path: string, options: JudgeOptions): Promise<Verdict> {
  const { limits } = options;
  const { size } = await stat(path);
  if (size > limits.packageBytes) return refusedBy(packageTooLarge(limits.packageBytes), { size });
  const sha256 = await digestOf(path);
  try {
    const inspection = await inspectArchive({ path, size }, limits);
    return judgeInspection(inspection, { size, sha256 }, options);
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return refusedBy(error, { size, sha256 });
  }
}

function judgeInspection(inspection: Inspection, bytes: Known, options: JudgeOptions): Verdict {
  const { format, kind, container, files } = inspection;
  const carried = { name: inspection.name ?? "", version: inspection.version ?? "" };
  const { outcome, findings } = judge(inspection.findings, options.policy);
  const known: Known = {
    ...bytes,
    format,
    kind,
    container,
    name: carried.name || options.requested.name || null,
    version: carried.version || options.requested.version || null,
    files: files.length,
    findings: findings.map(shown),
  };
  try {
    readIdentity(carried, options.identityMayFollow === true ? filled(options.requested, carried) : options.requested);
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return refusedBy(error, known);
  }
  if (outcome === "refuse") return refusedBy(checksFailed(findings), known);
  const passed = { code: null, detail: null, errors: [], ...nothing, ...known };
  const tested = options.runsTests && bringsTests(files.map(({ path }) => path));
  return outcome === "hold" || tested
    ? { verdict: "held", status: publishStatuses.held, ...passed }
    : { verdict: "accepted", status: publishStatuses.published, ...passed };
}

/** Stands in for what is given later, so that what is there already can be held against the rules. */
function filled(requested: Claimed, carried: Claimed): Claimed {
  return {
    name: requested.name || (carried.name === "" ? "unnamed" : ""),
    version: requested.version || (carried.version === "" ? "0.0.0" : ""),
  };
}

function shown({ rule, severity, action, message, file, line, pointer }: WithAction<Finding>): FindingShown {
  return { rule, severity, action, message, file: file ?? null, line: line ?? null, pointer: pointer ?? null };
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
