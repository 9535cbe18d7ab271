import { byPath } from "../archive.ts";
import { PathTable } from "../names.ts";
import { refused } from "../refuse.ts";
import type { TarEntry } from "./structure.ts";

/** Files that tell a format: one of them at the root means that the root is the package. */
export const markerFiles = [
  "plugin.yaml",
  "plugin.json",
  "manifest.json",
  "server.json",
  "SKILL.md",
  "package.json",
] as const;

export interface TarLayout {
  /** Empty where the files are at the root. */
  readonly topFolder: string;
  /** Files by their path below the top folder. */
  readonly files: ReadonlyMap<string, TarEntry>;
}

/**
 * Takes the one top folder off every path. `plugin.yaml` below it may occur twice, the later one wins (that is how
 * AgentiCraft's client packs); every other repetition is refused.
 */
export function layOut(entries: readonly TarEntry[]): TarLayout {
  const topFolder = findTop(entries);
  const paths = new PathTable();
  const files = new Map<string, TarEntry>();
  let manifests = 0;
  for (const entry of entries) {
    const path = topFolder === "" ? entry.path : entry.path.slice(topFolder.length + 1);
    if (path === "") continue;
    const repeated = path === "plugin.yaml" && entry.kind === "file" && ++manifests === 2;
    if (!repeated) paths.add(path, entry.kind);
    if (entry.kind === "file") files.set(path, entry);
  }
  return { topFolder, files: new Map([...files].sort(([a], [b]) => byPath({ path: a }, { path: b }))) };
}

function findTop(entries: readonly TarEntry[]): string {
  const atRoot = entries.some(
    (entry) => entry.kind === "file" && (markerFiles as readonly string[]).includes(entry.path),
  );
  if (atRoot) return "";
  const tops = new Set(entries.filter((entry) => entry.path !== "").map((entry) => entry.path.split("/", 1)[0] ?? ""));
  const [top] = tops;
  const isFolder = entries.every((entry) => entry.path !== top || entry.kind === "directory");
  if (tops.size !== 1 || top === undefined || !isFolder) {
    throw refused(
      "TAR_TOP_FOLDER",
      "The tar must hold exactly one top folder with everything in it, or its manifest at the root",
    );
  }
  return top;
}
