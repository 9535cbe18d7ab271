import type { ClientKind } from "@registry/domain";

/** What a program says of itself, as far as counts tell programs apart. The first that fits. */
const byUserAgent: readonly (readonly [RegExp, ClientKind])[] = [
  [/^agenticraft/i, "agenticraft"],
  [/\bagentos\b/i, "agentos"],
  [/^(?:npm|pnpm|yarn|bun)\//i, "npm"],
  [/^(?:pip|uv|poetry|pdm)\//i, "pip"],
  [/^git\//i, "git"],
  [/\bmcp\b/i, "mcp"],
  [/^mozilla\//i, "browser"],
];
const longest = 256;

/**
 * Which kind of client fetched something.
 * @param route what the address itself tells; `rest` where it is for everybody
 */
export function clientKind(route: ClientKind, userAgent: string | undefined): ClientKind {
  if (route !== "rest" || userAgent === undefined) return route;
  const said = userAgent.slice(0, longest);
  return byUserAgent.find(([pattern]) => pattern.test(said))?.[1] ?? route;
}
