import ignore, { type Ignore } from "ignore";

/** What no package wants: histories, caches, installed dependencies, editors' folders, keys and credentials, our own temporary files. */
export const builtInPatterns = [
  ".git",
  ".hg",
  ".svn",
  ".DS_Store",
  "Thumbs.db",
  "__pycache__",
  "*.pyc",
  "node_modules",
  ".venv",
  "venv",
  ".idea",
  ".vscode",
  ".env*",
  ".npmrc",
  ".netrc",
  ".pypirc",
  ".ssh",
  ".aws",
  ".gnupg",
  ".docker",
  ".kube",
  "id_rsa",
  "id_ed25519",
  "id_ecdsa",
  "id_dsa",
  "*.pem",
  "*.key",
  "*.p12",
  "*.pfx",
  ".agenticraft-registry-*.tmp",
] as const;

/** Name of the file in a package's folder that lists more, as a .gitignore does; it is packed like any other. */
export const ignoreFile = ".registryignore";

export interface LeftOutCount {
  readonly pattern: string;
  /** Files and folders; what is in a folder that is left out is not counted. */
  readonly count: number;
}

/** Decides what of a folder is not packed, and counts it. */
export class LeftOut {
  readonly #rules: Ignore;
  readonly #counts = new Map<string, number>();

  /** @param listed content of the ignore file; `!pattern` takes back what a line above it, or a built-in one, leaves out */
  constructor(listed = "") {
    this.#rules = ignore({ ignorecase: false })
      .add([...builtInPatterns])
      .add(listed.replace(/^\uFEFF/, ""));
  }

  /** @param path relative, `/` between its parts; nothing below a folder that is left out is asked for */
  has(path: string, isFolder: boolean): boolean {
    const { ignored, rule } = this.#rules.test(isFolder ? `${path}/` : path);
    if (!ignored) return false;
    const pattern = rule?.pattern ?? ignoreFile;
    this.#counts.set(pattern, (this.#counts.get(pattern) ?? 0) + 1);
    return true;
  }

  counts(): readonly LeftOutCount[] {
    return [...this.#counts].map(([pattern, count]) => ({ pattern, count }));
  }
}
