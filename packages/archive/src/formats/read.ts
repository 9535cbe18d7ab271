import type { Format } from "@registry/domain";
import type { OpenArchive } from "../archive.ts";
import { readText } from "../contents.ts";
import type { Detected } from "../detect.ts";
import type { FormatReading } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { refused } from "../refuse.ts";
import { readAgentPlugin } from "./agent-plugin.ts";
import { readAgentiCraft } from "./agenticraft.ts";
import { readAgentOs } from "./agentos.ts";
import { readMcpServer } from "./mcp-server.ts";
import { readNpm } from "./npm.ts";
import { readSkill } from "./skill.ts";

/** What a format's reader may look at besides its own manifest. */
export interface Package {
  readonly archive: OpenArchive;
  readonly limits: ArchiveLimits;
  /** The text of one small file; undefined where it is not there. Throws over the manifest cap (for a SKILL.md, the README's). */
  readonly text: (path: string) => Promise<string | undefined>;
}

export async function readFormat(
  archive: OpenArchive,
  detected: Detected,
  limits: ArchiveLimits,
): Promise<FormatReading> {
  const text = async (path: string): Promise<string | undefined> => {
    const file = archive.find(path);
    if (file === undefined) return undefined;
    // A SKILL.md is a document with a manifest on top, which has a cap of its own.
    const bytes = /(?:^|\/)SKILL\.md$/.test(path) ? limits.readmeBytes : limits.manifestBytes;
    return readText(archive, file, { bytes, reason: "MANIFEST_TOO_LARGE" });
  };
  const manifest = (await text(detected.file)) ?? "";
  return readers[detected.format](manifest, { archive, limits, text });
}

type Reader = (manifest: string, from: Package) => FormatReading | Promise<FormatReading>;

const readers: { readonly [F in Format]: Reader } = {
  agenticraft: (manifest, { archive, limits }) => {
    for (const file of ["README.md", "LICENSE"]) {
      if (archive.find(file) === undefined) {
        throw refused(
          "MISSING_FILE",
          `${file} is missing at the root of the package; add it under exactly this name`,
          file,
        );
      }
    }
    return readAgentiCraft(manifest, limits);
  },
  "agent-plugin": readAgentPlugin,
  agentos: readAgentOs,
  "mcp-server": (manifest, { limits }) => readMcpServer(manifest, limits),
  skill: (manifest, { limits }) => readSkill(manifest, limits),
  npm: (manifest, { limits }) => readNpm(manifest, limits),
};
