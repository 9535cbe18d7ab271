import type { Format } from "@registry/domain";
import type { OpenArchive } from "./archive.ts";
import type { Finding } from "./inspection.ts";
import { refused } from "./refuse.ts";

/** The manifest of each format, in the order in which they win. */
const manifests: readonly (readonly [file: string, format: Format])[] = [
  ["plugin.yaml", "agenticraft"],
  ["plugin.json", "agent-plugin"],
  ["manifest.json", "agentos"],
  ["server.json", "mcp-server"],
  ["SKILL.md", "skill"],
  ["package.json", "npm"],
];
/** Files that belong to a format beside its manifest and so say nothing about another. */
const companions = new Map<Format, readonly string[]>([["agentos", ["package.json"]]]);

export interface Detected {
  readonly format: Format;
  readonly file: string;
  readonly findings: readonly Finding[];
}

/** Tells the format by the first manifest at the package root. Throws `rejected` MANIFEST_NOT_FOUND or MANIFEST_IN_FOLDER. */
export function detectFormat(archive: OpenArchive): Detected {
  const present = manifests.filter(([file]) => archive.find(file) !== undefined);
  const [chosen, ...others] = present;
  if (chosen === undefined) throw notFound(archive);
  const [file, format] = chosen;
  const findings = others
    .filter(([other]) => !(companions.get(format) ?? []).includes(other))
    .map(
      ([other]): Finding => ({
        rule: "other-format",
        severity: "info",
        message: `${other} is present too, but the package is read as its ${file} says`,
        file: other,
      }),
    );
  return { format, file, findings };
}

function notFound(archive: OpenArchive): Error {
  const nested = archive.files.find(({ path }) => {
    const parts = path.split("/");
    return parts.length === 2 && manifests.some(([file]) => file === parts[1]);
  });
  if (nested !== undefined) {
    const [folder, file] = nested.path.split("/");
    return refused(
      "MANIFEST_IN_FOLDER",
      `${file} is in the folder ${folder}/, not at the root: pack the folder's contents, not the folder itself`,
      nested.path,
    );
  }
  const names = manifests.map(([file]) => file).join(", ");
  return refused("MANIFEST_NOT_FOUND", `The package has none of ${names} at its root; add the one of its format`);
}
