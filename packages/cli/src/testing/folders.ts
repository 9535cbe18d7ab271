import { chmod, mkdir, mkdtemp, readFile, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { defaultArchiveLimits } from "@registry/archive";
import { defaultPolicy } from "@registry/domain";
import { pluginYaml } from "../../../../test/builders/plugin.ts";
import { listFolder } from "../package/folder.ts";
import { type Container, packFiles } from "../package/packing.ts";
import { Progress } from "../package/progress.ts";
import type { PackageRules } from "../package/settings.ts";
import type { Verdict } from "../package/verdict.ts";

export const rules: PackageRules = { limits: defaultArchiveLimits, policy: defaultPolicy, runsTests: false };

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A plugin that a registry accepts, with a script and names that need care. */
export const weather: Files = {
  "plugin.yaml": pluginYaml({ name: "weather", version: "1.2.0" }),
  "README.md": "# Weather\n",
  LICENSE: "MIT\n",
  "bin/run": "#!/bin/sh\nexit 0\n",
  "src/weather.py": "class Plugin:\n    pass\n",
  "src/größe/ß.txt": "non-ASCII\n",
  empty: "",
};

/** How a copy of a folder differs from another with the same contents. */
export interface Manner {
  readonly reversed?: boolean;
  readonly mode?: number;
  readonly mtime?: Date;
}

/** Folders below one of their own in the system's temporary one. */
export class Folders {
  readonly root: string;
  #count = 0;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Folders> {
    return new Folders(await realpath(await mkdtemp(join(tmpdir(), "cli-test-"))));
  }

  /** An empty folder called `name`, in a place of its own. */
  async empty(name = "weather"): Promise<string> {
    const folder = join(this.root, `${this.#count++}`, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  async write(files: Files, manner: Manner = {}, name?: string): Promise<string> {
    const folder = await this.empty(name);
    const entries = Object.entries(files);
    for (const [path, content] of manner.reversed === true ? entries.reverse() : entries) {
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      if (manner.mode !== undefined) await chmod(target, manner.mode);
      if (manner.mtime !== undefined) await utimes(target, manner.mtime, manner.mtime);
    }
    return folder;
  }

  async file(bytes: Uint8Array): Promise<string> {
    const path = join(await this.empty(), "package.bin");
    await writeFile(path, bytes);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  /** Packs without the command around it. */
  async pack(folder: string, container: Container = "zip"): Promise<{ verdict: Verdict; bytes: Buffer; path: string }> {
    const outputFolder = await this.empty("out");
    const path = join(outputFolder, "packed");
    const { files } = await listFolder(folder, rules.limits);
    const progress = new Progress({ write: () => undefined });
    const requested = { name: "", version: "" };
    const options = { ...rules, requested, container, output: undefined, outputFolder, progress };
    const { verdict } = await packFiles(folder, files, path, options);
    return { verdict, bytes: await readFile(path), path };
  }
}
