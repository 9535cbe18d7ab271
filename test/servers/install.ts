import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, type Say } from "./build.ts";
import { withLock } from "./build-lock.ts";
import { cacheFolder, findServer } from "./find.ts";
import { type ServerName, servers } from "./recipes.ts";

const lockDeadline = 60 * 60_000;

/** A server that is not there and could not be installed. */
export interface NotInstalled {
  name: ServerName;
  reason: string;
}

/**
 * Makes sure that every server is there: finds it, else installs it into the user's cache, those that are missing side by
 * side. Two runs at once build nothing twice.
 *
 * @returns the servers that could not be had, each with its reason.
 */
export async function installServers(names: ServerName[], say: Say): Promise<NotInstalled[]> {
  const absent = names.filter((name) => findServer(name) === undefined);
  if (absent.length === 0) return [];
  say(`test servers to install into ${cacheFolder()}: ${absent.join(", ")}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const results = await Promise.all(absent.map((name) => installLocked(name, say)));
  return results.filter((result) => result !== undefined);
}

async function installLocked(name: ServerName, say: Say): Promise<NotInstalled | undefined> {
  const lock = join(cacheFolder(), `.lock-${name}`);
  const waiting = () => say(`${name}: waiting for another process that installs it`);
  try {
    return await withLock(lock, lockDeadline, waiting, () => install(name, say));
  } catch (error) {
    return { name, reason: message(error) };
  }
}

async function install(name: ServerName, say: Say): Promise<NotInstalled | undefined> {
  if (findServer(name) !== undefined) return undefined;
  const reasons: string[] = [];
  for (const recipe of servers[name].recipes) {
    try {
      await build(recipe, say);
      return undefined;
    } catch (error) {
      const reason = `${recipe.folder}: ${message(error)}`;
      say(reason);
      reasons.push(reason);
    }
  }
  return { name, reason: reasons.join("\n") };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** All servers that tests start. */
export const everyServer = Object.keys(servers) as ServerName[];

if (import.meta.main) {
  const chosen = everyServer.filter((name) => process.argv.length < 3 || process.argv.includes(name));
  const failed = await installServers(chosen, (line) => process.stdout.write(`${line}\n`));
  for (const { name, reason } of failed) process.stderr.write(`${name} could not be installed: ${reason}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
