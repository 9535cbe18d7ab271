import { env } from "node:process";

/** The one place where the tests read the environment: `undefined` for what is absent or empty. */
export function setting(name: string): string | undefined {
  return inherited()[name] || undefined;
}

/** The whole environment, to hand on to a child process. */
export function inherited(changes: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  return { ...env, ...changes };
}

/** Where a missing server is a failure, not a reason to skip. */
export function onCi(): boolean {
  const value = setting("CI");
  return value !== undefined && value !== "false" && value !== "0";
}
