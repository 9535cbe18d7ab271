import { createWriteStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzip, type SourceFile, writeTar, writeZip } from "@registry/archive";
import { baseName, isPluginName } from "@registry/domain";
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

/** The file name of a package, `@ns/name` as `ns-name-…`; undefined where its name or version is not known. */
export function fileNameOf({ name, version }: Pick<Verdict, "name" | "version">, container: Container) {
  if (name === null || version === null) return undefined;
  return `${name.replace(/^@/, "").replace("/", "-")}-${version}.${container}`;
}

/** What goes into a packing besides the contents. */
interface Plan {
  readonly files: readonly SourceFile[];
  /** Of a tar.gz. */
  readonly topFolder: string;
}

const mostRounds = 3;
const unknownTopFolder = "package";

/**
 * Packs the files of a folder into `target` so that the same contents give the same bytes, and judges the result.
 *
 * The package's name decides about its top folder and about which file is an earlier output of its own, and is known
 * once the package was read: so the packing is made again where it does not fit the name that it turned out to carry.
 */
export async function packFiles(
  folder: string,
  files: readonly SourceFile[],
  target: string,
  options: PackingOptions,
): Promise<Verdict> {
  const { container, progress } = options;
  const planFor = await planner(folder, files, options);
  const guess = basename(folder);
  let plan = planFor(undefined, isPluginName(guess) ? baseName(guess) : unknownTopFolder);
  let known: Verdict | undefined;
  for (let round = 1; ; round++) {
    const watched = progress.watch(plan.files);
    const bytes = container === "zip" ? writeZip(watched) : gzip(writeTar(watched, plan.topFolder));
    await pipeline(bytes, createWriteStream(target, { flush: true }));
    progress.tell("checking");
    const verdict = await judgeFile(target, options);
    if (known === undefined && verdict.name !== null) known = verdict;
    const next = planFor(known ?? verdict, topFolderOf(known));
    if (round === mostRounds || isSame(next, plan, container)) return verdict;
    plan = next;
  }
}

function topFolderOf(known: Verdict | undefined): string {
  const name = known?.name ?? "";
  return isPluginName(name) ? baseName(name) : unknownTopFolder;
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
  const locationOf = (file: SourceFile): string => join(root, file.path);
  const without = (isOut: (location: string) => boolean) => files.filter((file) => !isOut(locationOf(file)));
  const mayBeOurs = (location: string): boolean => dirname(location) === beside && location.endsWith(`.${container}`);
  return (told, topFolder) => {
    if (output !== undefined) {
      const own = join(beside, basename(output));
      return { files: without((location) => location === own), topFolder };
    }
    if (told === undefined) return { files: without(mayBeOurs), topFolder };
    const name = fileNameOf(told, container);
    return { files: without((location) => name !== undefined && location === join(beside, name)), topFolder };
  };
}
