import type { IncomingMessage } from "node:http";
import { type Ids, scrub } from "@registry/kit";

/** The id that the client gave its request, unless it is none or looks like a secret; else a new one. */
export function requestIdOf(request: IncomingMessage, ids: Ids): string {
  const given = request.headers["x-request-id"];
  if (typeof given !== "string" || !/^[\w-]{1,64}$/.test(given)) return ids.unique();
  return scrub(given) === given ? given : ids.unique();
}
