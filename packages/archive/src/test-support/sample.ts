import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectArchive } from "../inspect.ts";
import type { Inspection } from "../inspection.ts";
import { type ArchiveLimits, defaultArchiveLimits } from "../limits.ts";

export const pluginYaml = `name: weather
version: 1.2.0
type: tool
title: Weather
description: Tells the weather
author:
  name: Ada
entry_point: weather.main:Weather
`;

/** The smallest AgentiCraft package that is accepted, with a folder and a file in it. */
export const plugin: Readonly<Record<string, string>> = {
  "plugin.yaml": pluginYaml,
  "README.md": "# Weather\n",
  LICENSE: "MIT\n",
  "src/main.py": "class Weather:\n    pass\n",
};

export const pluginPaths = Object.keys(plugin).sort();

/** A folder of its own below the system's temporary one. */
export class Scratch {
  readonly path: string;
  #count = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), "archive-test-")));
  }

  async write(bytes: Uint8Array): Promise<{ path: string; size: number }> {
    const path = join(this.path, `file-${this.#count++}`);
    await writeFile(path, bytes);
    return { path, size: bytes.length };
  }

  async inspect(bytes: Uint8Array, limits: Partial<ArchiveLimits> = {}): Promise<Inspection> {
    const file = await this.write(bytes);
    try {
      return await inspectArchive(file, { ...defaultArchiveLimits, ...limits }, { spoolDirectory: this.path });
    } finally {
      await rm(file.path);
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
