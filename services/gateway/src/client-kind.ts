/** How programs that come here name themselves, by the beginning of their `User-Agent`. */
const known = [
  ["AgentiCraft-Registry-Client/", "agenticraft"],
  ["Mozilla/", "browser"],
  ["npm/", "npm"],
  ["pnpm/", "npm"],
  ["yarn/", "npm"],
  ["pip/", "python"],
  ["python-", "python"],
  ["Python-urllib/", "python"],
  ["curl/", "curl"],
  ["node", "node"],
  ["undici", "node"],
  ["Go-http-client/", "go"],
] as const;

let lastAsked: string | undefined;
let lastTold = "none";

/** One of few words for the program that sent a request. */
export function clientKind(userAgent: string | undefined): string {
  // One program sends many requests in a row.
  if (userAgent === lastAsked) return lastTold;
  lastAsked = userAgent;
  lastTold =
    userAgent === undefined || userAgent === ""
      ? "none"
      : (known.find(([start]) => userAgent.startsWith(start))?.[1] ?? "other");
  return lastTold;
}
