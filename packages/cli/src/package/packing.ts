import { createWriteStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzip, type SourceFile, writeTar, writeZip } from "@registry/archive";
import { baseName, isPluginName, isVersion } from "@registry/domain";
import type { LeftOutCount } from "./left-out.ts";
import type { Progress } from "./progress.ts";
import { type JudgeOptions, judgeFile, type Verdict } from "./verdict.ts";

export type Container = "zip" | "tar.gz";

export interface PackingOptions extends JudgeOptions {
  readonly container: Container;
  /** Where the package will stand; undefined: in `outputFolder`, under the name that it carries. */
  readonly output: string | undefined;
  readonly outputFolder: string;
  readonly progress: Progress;
}

export interface Packed {
  readonly verdict: Verdict;
  /** Earlier outputs that stood among the files. */
  readonly leftOut: readonly LeftOutCount[];
}

const containers = ["zip", "tar.gz", "tgz"] as const;

const plainName = (name: string): string => name.replace(/^@/, "").replace("/", "-");

/** The file name of a package, `@ns/name` as `ns-name-…`; undefined where its name or version is not known. */
export function fileNameOf({ name, version }: Pick<Verdict, "name" | "version">, container: Container) {
  if (name === null || version === null) return undefined;
  return `${plainName(name)}-${version}.${container}`;
}

/** What `pack` calls the packages of this name, whatever their version; undefined: of any name. */
function isOutput(path: string, name: string | undefined): boolean {
  const ending = containers.find((each) => path.endsWith(`.${each}`));
  if (ending === undefined || path.includes("/")) return false;
  if (name === undefined) return true;
  const start = `${plainName(name)}-`;
  return path.startsWith(start) && isVersion(path.slice(start.length, -ending.length - 1));
}

/** What goes into a packing besides the contents. */
interface Plan {
  readonly files: readonly SourceFile[];
  /** Of a tar.gz. */
  readonly topFolder: string;
}

/** A registry takes what unpacks to more than a hundred times its size for a bomb; its own rule may be stricter. */
const storeAbove = 50;
const mostRounds = 3;
const unknownTopFolder = "package";

/**
 * Packs the files of a folder into `target` so that the same contents give the same bytes, and judges the result.
 *
 * The package's name decides about its top folder and about which files are earlier outputs of its own, and is known
 * once the package was read: so the packing is made again where it does not fit the name that it turned out to carry.
 */
export async function packFiles(
  folder: string,
  files: readonly SourceFile[],
  target: string,
  options: PackingOptions,
): Promise<Packed> {
  const { container, progress } = options;
  const planFor = await planner(folder, files, options);
  const guess = basename(folder);
  let plan = planFor(undefined, isPluginName(guess) ? baseName(guess) : unknownTopFolder);
  let known: Verdict | undefined;
  for (let round = 1; ; round++) {
    const watched = progress.watch(plan.files);
    const bytes = container === "zip" ? writeZip(watched, { storeAbove }) : gzip(writeTar(watched, plan.topFolder));
    await pipeline(bytes, createWriteStream(target, { flush: true }));
    progress.tell("checking");
    const verdict = await judgeFile(target, options);
    if (known === undefined && verdict.name !== null) known = verdict;
    const next = planFor(known ?? verdict, topFolderOf(known));
    if (round === mostRounds || isSame(next, plan, container)) {
      return { verdict, leftOut: outputsAmong(files, plan.files, known?.name ?? undefined) };
    }
    plan = next;
  }
}

function topFolderOf(known: Verdict | undefined): string {
  const name = known?.name ?? "";
  return isPluginName(name) ? baseName(name) : unknownTopFolder;
}

function outputsAmong(
  files: readonly SourceFile[],
  packed: readonly SourceFile[],
  name: string | undefined,
): readonly LeftOutCount[] {
  const kept = new Set(packed.map(({ path }) => path));
  const count = files.filter(({ path }) => !kept.has(path) && name !== undefined && isOutput(path, name)).length;
  if (name === undefined || count === 0) return [];
  return [{ pattern: `/${plainName(name)}-{version}.{${containers.join(",")}}`, count }];
}

/** Each plan leaves out a part of the same few files, so as many files are the same files. */
function isSame(one: Plan, other: Plan, container: Container): boolean {
  return one.files.length === other.files.length && (container === "zip" || one.topFolder === other.topFolder);
}

type Planner = (told: Verdict | undefined, topFolder: string) => Plan;

async function planner(folder: string, files: readonly SourceFile[], options: PackingOptions): Promise<Planner> {
  const { output, outputFolder, container } = options;
  const root = await realpath(folder);
  const beside = await realpath(output === undefined ? outputFolder : dirname(output));
  const own = output === undefined ? undefined : join(beside, basename(output));
  const isOut = (told: Verdict | undefined, { path }: SourceFile): boolean => {
    const location = join(root, path);
    if (location === own) return true;
    if (told === undefined) {
      const mayBeOurs = own === undefined && dirname(location) === beside && path.endsWith(`.${container}`);
      return mayBeOurs || isOutput(path, undefined);
    }
    const name = fileNameOf(told, container);
    const isOurs = own === undefined && name !== undefined && location === join(beside, name);
    return isOurs || (told.name !== null && isOutput(path, told.name));
  };
  return (told, topFolder) => ({ files: files.filter((file) => !isOut(told, file)), topFolder });
}
