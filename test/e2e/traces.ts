import { readdirSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "./shapes.ts";
import type { World } from "./world.ts";

/** Everything that a publish could leave behind, as far as it can be seen from outside. */
export async function tracesOf(world: World): Promise<object> {
  const { admin, stack } = world;
  const { plugins_count } = (await admin.gets("/")).json<{ plugins_count: number }>();
  return {
    names: namesIn(await admin.gets("/api/v1/plugins/all")),
    plugins_count,
    files: stack.kind === "embedded" ? packageFiles(join(stack.folder, "data-registry")) : [],
  };
}

/** Files below a data folder other than databases and counted downloads, which live by rules of their own. */
export function packageFiles(dataDir: string): string[] {
  const found = readdirSync(dataDir, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory() && !/\.(?:sqlite|db|lock|jsonl|open)/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
