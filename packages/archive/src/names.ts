import { quote } from "@registry/domain";
import type { ArchiveLimits } from "./limits.ts";
import { overCap, refused } from "./refuse.ts";

export type EntryKind = "file" | "directory";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes a name strictly; `asciiOnly` where the archive does not declare UTF-8. */
export function decodeName(bytes: Uint8Array, asciiOnly: boolean): string {
  if (asciiOnly && bytes.some((byte) => byte > 0x7f)) {
    throw refused(
      "NAME_ENCODING",
      "An entry name has non-ASCII bytes but is not marked as UTF-8; rename it in ASCII, or pack with a tool that marks it (Python's zipfile, or Info-ZIP's zip -UN=UTF8 in a locale such as en_US.UTF-8)",
    );
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw refused("NAME_ENCODING", "An entry name is not valid UTF-8; rename the file and pack again");
  }
}

/** Control, format, surrogate, private and invisible characters, and line separators. */
const forbiddenCharacters = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const deviceName = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$/i;
const trailingDotOrSpace = /[.\p{Zs}]$/u;

/**
 * Refuses a path that could escape, hide or collide on any system that unpacks it.
 * `path` is relative with `/` between its parts and no slash at its end.
 */
export function checkPath(path: string, limits: ArchiveLimits): void {
  const shown = `The entry name ${quote(path)}`;
  if (path === "") throw refused("NAME_EMPTY", "An entry has an empty name");
  if (Buffer.byteLength(path) > limits.pathBytes) {
    throw overCap("PATH_TOO_LONG", `${shown} is longer than ${limits.pathBytes} bytes`, path);
  }
  if (path.startsWith("/")) throw refused("PATH_ABSOLUTE", `${shown} is absolute; pack with relative paths`, path);
  if (forbiddenCharacters.test(path) || !path.isWellFormed()) {
    throw refused("NAME_CHARACTERS", `${shown} has control or invisible characters; rename the file`, path);
  }
  if (/[\\:]/.test(path))
    throw refused("NAME_CHARACTERS", `${shown} has a backslash or a colon; rename the file`, path);
  if (path !== path.normalize("NFC")) {
    throw refused("NAME_NOT_NFC", `${shown} is not in Unicode normalisation form NFC; rename the file`, path);
  }
  const parts = path.split("/");
  if (parts.length > limits.pathDepth) {
    throw overCap("PATH_TOO_DEEP", `${shown} has more than ${limits.pathDepth} parts`, path);
  }
  for (const part of parts) checkPart(part, shown, path);
}

function checkPart(part: string, shown: string, path: string): void {
  if (part === "" || part === "." || part === "..") {
    throw refused("PATH_TRAVERSAL", `${shown} has an empty, "." or ".." part; pack with plain relative paths`, path);
  }
  if (trailingDotOrSpace.test(part)) {
    throw refused("NAME_CHARACTERS", `${shown} has a part that ends in a dot or a space; rename it`, path);
  }
  if (deviceName.test((part.split(".")[0] ?? "").trimEnd())) {
    throw refused("NAME_RESERVED", `${shown} has a part that is a device name on Windows; rename it`, path);
  }
}

/** Two paths with the same key land in the same place on a file system that ignores case. */
export function foldPath(path: string): string {
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

interface Taken {
  readonly path: string;
  readonly kind: EntryKind;
  explicit: boolean;
}

/** Every path of one archive, the folders that they imply included; `add` refuses what collides. */
export class PathTable {
  readonly #taken = new Map<string, Taken>();

  add(path: string, kind: EntryKind): void {
    let slash = path.indexOf("/");
    while (slash !== -1) {
      this.#claim(path.slice(0, slash), "directory", false);
      slash = path.indexOf("/", slash + 1);
    }
    this.#claim(path, kind, true);
  }

  #claim(path: string, kind: EntryKind, explicit: boolean): void {
    const key = foldPath(path);
    const before = this.#taken.get(key);
    if (before === undefined) {
      this.#taken.set(key, { path, kind, explicit });
      return;
    }
    if (before.path !== path) {
      throw refused(
        "CASE_COLLISION",
        `The entry names ${quote(before.path)} and ${quote(path)} are the same where case does not count; rename one`,
        path,
      );
    }
    if (before.kind !== kind) {
      throw refused("FILE_AND_FOLDER", `The entry ${quote(path)} is both a file and a folder`, path);
    }
    if (before.explicit && explicit) {
      throw refused("DUPLICATE_ENTRY", `The entry ${quote(path)} occurs twice; pack it once`, path);
    }
    before.explicit ||= explicit;
  }
}
