import { forgeTarGz, tarEntriesOf } from "../../packages/archive/src/test-support/tar-forge.ts";
import {
  entriesOf,
  type ForgedEntry,
  type ForgedZip,
  forgeZip,
} from "../../packages/archive/src/test-support/zip-forge.ts";
import { pluginYaml } from "./plugin.ts";

/** An archive that is refused, and what the refusal says. */
export interface Hostile {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly code: string;
}

const symlink = (0o120777 << 16) >>> 0;

/** Packages of a plugin of that name, each with one thing in it that no registry should pass on. */
export function hostileArchives(name: string): Hostile[] {
  const files = { "plugin.yaml": pluginYaml({ name }), "README.md": `# ${name}\n`, LICENSE: "MIT\n" };
  const zip = (entries: readonly ForgedEntry[], more?: ForgedZip) => forgeZip([...entriesOf(files), ...entries], more);
  const tar = (...entries: Parameters<typeof forgeTarGz>[0]) => forgeTarGz([...tarEntriesOf(files, name), ...entries]);
  const rejected = (what: string, code: string, bytes: Uint8Array): Hostile => ({ what, bytes, status: 422, code });
  return [
    rejected("a path that climbs out", "PATH_TRAVERSAL", zip([{ name: "../../evil.py", content: "x" }])),
    rejected("an absolute path", "PATH_ABSOLUTE", zip([{ name: "/etc/passwd", content: "x" }])),
    rejected("a symbolic link", "SPECIAL_ENTRY", zip([{ name: "link", content: "/etc/passwd", attributes: symlink }])),
    rejected(
      "an entry that only some readers see",
      "ZIP_HIDDEN_DATA",
      zip([{ name: "b.py", content: "x", hidden: true }]),
    ),
    rejected(
      "bytes before the first entry",
      "ZIP_HIDDEN_DATA",
      zip([{ name: "b", content: "x", gap: Buffer.from("MZ") }]),
    ),
    rejected("a comment behind the end", "ZIP_END_RECORD", zip([], { comment: Buffer.from("hello") })),
    rejected("names that differ in case only", "CASE_COLLISION", zip([{ name: "readme.MD", content: "x" }])),
    rejected("a name written from right to left", "NAME_CHARACTERS", zip([{ name: "a\u202egpj.py", content: "x" }])),
    rejected(
      "a tar with a path that climbs out",
      "PATH_TRAVERSAL",
      tar({ name: `${name}/../../evil.py`, content: "x" }),
    ),
    rejected(
      "a tar with a symbolic link",
      "SPECIAL_ENTRY",
      tar({ name: `${name}/link`, type: "2", link: "/etc/passwd" }),
    ),
    rejected(
      "a tar with a hard link",
      "SPECIAL_ENTRY",
      tar({ name: `${name}/hard`, type: "1", link: `${name}/LICENSE` }),
    ),
    rejected("a tar with a file beside its folder", "TAR_TOP_FOLDER", tar({ name: "other/evil.py", content: "x" })),
    rejected("a zip that was cut", "ZIP_END_RECORD", zip([]).subarray(0, -30)),
    {
      what: "a bomb",
      bytes: zip([{ name: "zeros.bin", content: Buffer.alloc(8 * 1024 * 1024) }]),
      status: 413,
      code: "COMPRESSION_RATIO",
    },
    { what: "no archive at all", bytes: Buffer.from("hello"), status: 415, code: "UNSUPPORTED_ARCHIVE" },
    rejected("no manifest", "MANIFEST_NOT_FOUND", forgeZip(entriesOf({ "README.md": "#", LICENSE: "MIT" }))),
    rejected("no README", "MISSING_FILE", forgeZip(entriesOf({ "plugin.yaml": files["plugin.yaml"], LICENSE: "MIT" }))),
    rejected(
      "a manifest that breaks rules",
      "INVALID_MANIFEST",
      forgeZip(entriesOf({ ...files, "plugin.yaml": pluginYaml({ name, type: "spell" }) })),
    ),
    rejected(
      "a manifest with an alias",
      "INVALID_YAML",
      forgeZip(entriesOf({ ...files, "plugin.yaml": `${pluginYaml({ name })}a: &x [1]\nb: *x\n` })),
    ),
  ];
}
