import { lstat, rename } from "node:fs/promises";
import { dirname, extname, relative, resolve } from "node:path";
import { checkPaths } from "@registry/archive";
import { invalid, RegistryError } from "@registry/domain";
import { type FolderListing, listFolder } from "./package/folder.ts";
import { type Container, fileNameOf, packFiles } from "./package/packing.ts";
import { Progress } from "./package/progress.ts";
import { type PackageRules, readPackageRules } from "./package/settings.ts";
import { withTemporaryFile } from "./package/temporary.ts";
import { describePackage, leftOutLines, printable, verdictLines } from "./package/text.ts";
import { isRefusal, kindOf } from "./package/validate-package.ts";
import { digestOf, refusedBy, type Verdict } from "./package/verdict.ts";

export interface PackCommand {
  readonly output?: string;
  readonly format?: Container;
  readonly force?: boolean;
  readonly json?: boolean;
  /** Settings file. */
  readonly env: string;
}

type Outcome = "written" | "unchanged" | "not written";

/** Packs a folder so that the same contents give the same bytes. @returns the exit code */
export async function pack(folder: string, command: PackCommand): Promise<number> {
  const rules = readPackageRules(command.env);
  const container = containerOf(command);
  if ((await kindOf(folder)) !== "folder") {
    throw invalid("NOT_A_FOLDER", `${printable(folder)}: is a file; name the folder that is to be packed`);
  }
  let listing: FolderListing;
  try {
    listing = await listFolder(folder, rules.limits);
    if (command.force !== true) checkPaths(listing.files.map(({ path }) => path).sort(), rules.limits);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return tell(command, { verdict: refusedBy(error), outcome: "not written", path: null, leftOut: [] });
  }
  return await write(folder, listing, rules, container, command);
}

function containerOf({ format, output }: PackCommand): Container {
  if (output === undefined) return format ?? "zip";
  const named = /\.zip$/i.test(output) ? "zip" : /\.(?:tar\.gz|tgz)$/i.test(output) ? "tar.gz" : undefined;
  if (format !== undefined && named !== undefined && format !== named) {
    throw invalid("FORMAT_MISMATCH", `--format: ${format} does not fit the file name ${printable(output)}`);
  }
  const container = format ?? named;
  if (container === undefined && extname(output) !== "") {
    const remedy = "rename it, or say with --format what it is to be";
    throw invalid("FORMAT_UNKNOWN", `-o: ${printable(output)} ends in neither .zip nor .tar.gz or .tgz; ${remedy}`);
  }
  return container ?? "zip";
}

async function write(
  folder: string,
  listing: FolderListing,
  rules: PackageRules,
  container: Container,
  command: PackCommand,
): Promise<number> {
  const output = command.output === undefined ? undefined : resolve(command.output);
  const outputFolder = output === undefined ? resolve(".") : dirname(output);
  return await withTemporaryFile(outputFolder, async (temporary) => {
    const progress = new Progress(process.stderr);
    const requested = { name: "", version: "" };
    const judging = { ...rules, requested, identityMayFollow: true };
    const options = { ...judging, container, output, outputFolder, progress };
    const packed = await packFiles(resolve(folder), listing.files, temporary, options).finally(() => progress.end());
    const { verdict } = packed;
    const leftOut = [...listing.leftOut, ...packed.leftOut];
    if (verdict.verdict === "refused" && command.force !== true) {
      return tell(command, { verdict, outcome: "not written", path: null, leftOut });
    }
    const path = output ?? resolve(outputFolder, fileNameOf(verdict, container) ?? nameless(verdict));
    const outcome = await place(temporary, path, command.force === true);
    return tell(command, { verdict, outcome, path: relative(".", path), leftOut });
  });
}

function nameless({ name, version }: Verdict): never {
  const missing = [...(name === null ? ["name"] : []), ...(version === null ? ["version"] : [])].join(" and ");
  throw invalid("OUTPUT_NEEDED", `-o: the package carries no ${missing} to name its file by; say where to write it`);
}

/** @throws `already_exists` OUTPUT_EXISTS, `invalid_argument` OUTPUT_UNWRITABLE */
async function place(temporary: string, path: string, force: boolean): Promise<Outcome> {
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (there !== undefined) {
    if (there.isDirectory())
      throw invalid("OUTPUT_UNWRITABLE", `-o: ${printable(path)} is a folder; name a file in it`);
    if (there.isFile() && (await digestOf(path)) === (await digestOf(temporary))) return "unchanged";
    if (!force) {
      const message = `${printable(relative(".", path))} is there with other content; --force overwrites it, -o names another file`;
      throw new RegistryError("already_exists", "OUTPUT_EXISTS", message);
    }
  }
  await rename(temporary, path);
  return "written";
}

interface Told {
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  /** Null where nothing was written. */
  readonly path: string | null;
  readonly leftOut: FolderListing["leftOut"];
}

/** The result on standard output, what to know about it on standard error. */
function tell(command: PackCommand, { verdict, outcome, path, leftOut }: Told): number {
  const refused = verdict.verdict === "refused";
  const notes = command.json === true ? [] : [...leftOutLines(leftOut), ...remarks(verdict, outcome)];
  if (notes.length > 0) process.stderr.write(`${notes.join("\n")}\n`);
  const { size, sha256, files } = verdict;
  const told = { path, outcome, size, sha256, files, left_out: leftOut, verdict };
  if (command.json === true) process.stdout.write(`${JSON.stringify(told)}\n`);
  else if (path !== null) {
    const unchanged = outcome === "unchanged" ? " (was there already with the same bytes)" : "";
    process.stdout.write(`${printable(path)}: ${describePackage(verdict)}${unchanged}\n`);
  }
  return refused && outcome === "not written" ? 1 : 0;
}

function remarks(verdict: Verdict, outcome: Outcome): string[] {
  const { name, version, findings } = verdict;
  if (verdict.verdict === "refused") {
    const end =
      outcome === "not written" ? "Nothing was written." : "Written all the same (--force): a registry refuses it.";
    return [...verdictLines(verdict), end];
  }
  const missing = [...(name === null ? ["name"] : []), ...(version === null ? ["version"] : [])];
  return [
    ...(findings.length === 0 ? [] : verdictLines(verdict)),
    ...missing.map((field) => `The package carries no ${field}: give it when you publish.`),
  ];
}
