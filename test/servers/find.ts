import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setting } from "./environment.ts";
import { type Server, type ServerName, servers } from "./recipes.ts";

/** Where built servers are kept: shared by all checkouts of this user. */
export function cacheFolder(): string {
  return join(setting("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "agenticraft-registry", "servers");
}

/**
 * The path of a program that serves as `name`: the one that its setting names, else on the PATH, in Go's and Cargo's own
 * folders, in the cache. `undefined` when there is none.
 *
 * @throws when the setting names something that cannot be run.
 */
export function findServer(name: ServerName): string | undefined {
  const server = servers[name];
  const chosen = setting(server.setting);
  if (chosen !== undefined) {
    if (!runnable(chosen)) throw new Error(`${server.setting} is ${chosen}, which is not a program that can be run`);
    return chosen;
  }
  return (server.fromPath ? onPath(server) : undefined) ?? inCache(server);
}

/** Whether a command of that name is on the PATH. */
export function hasTool(tool: string): boolean {
  return pathFolders().some((folder) => runnable(join(folder, tool)));
}

function onPath(server: Server): string | undefined {
  const folders = [...pathFolders(), join(homedir(), "go", "bin"), join(homedir(), ".cargo", "bin")];
  const candidates = server.programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  return candidates.find(runnable);
}

function inCache(server: Server): string | undefined {
  return server.recipes.map((recipe) => join(cacheFolder(), recipe.folder, recipe.program)).find(runnable);
}

function pathFolders(): string[] {
  return (setting("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
