import type { AuditEntry } from "@registry/contracts/audit";
import type { Caller } from "@registry/domain";
import { type AuditBegin, type AuditNote, scrub } from "@registry/kit";
import { longestJson, safeJson } from "./redact.ts";

/** A row as a service tells it; where it stands in the log is for auth to say. */
export type Told = Omit<AuditEntry, "sequence" | "previousHash" | "hash" | "time"> & { readonly time: Date };

const longest = {
  id: 64,
  actor: 128,
  tokenId: 128,
  address: 64,
  via: 32,
  action: 64,
  target: 256,
  organisation: 64,
  beforeJson: longestJson,
  afterJson: longestJson,
  result: 16,
  reason: 64,
  requestId: 64,
} as const;

function actorOf(caller: Caller): Pick<AuditEntry, "actorType" | "actor" | "actorId" | "tokenId"> {
  switch (caller.type) {
    case "user":
      return { actorType: "user", actor: caller.username, actorId: caller.id, tokenId: caller.tokenId ?? "" };
    case "service":
      return { actorType: "service", actor: caller.name, actorId: 0, tokenId: "" };
    case "anonymous":
      return { actorType: "anonymous", actor: "", actorId: 0, tokenId: "" };
    default:
      return caller satisfies never;
  }
}

export function toldOf(begin: AuditBegin, note: AuditNote, time: Date, result: string, reason: string): Told {
  const { action, target = "", organisation = "", before, after } = { ...begin, ...note };
  return bounded({
    id: begin.id,
    time,
    ...actorOf(begin.caller),
    address: begin.address ?? "",
    via: begin.via ?? "",
    action: action ?? begin.action,
    target,
    organisation,
    beforeJson: safeJson(before),
    afterJson: safeJson(after),
    result,
    reason,
    requestId: begin.requestId,
  });
}

/** Texts of callers' own, where a credential may stand by mistake. */
const said: ReadonlySet<string> = new Set(["target", "organisation", "requestId"]);
/** Looked at beyond a text's end, so that no credential is cut to a part that is not known for one. */
const furtherLooked = 512;

function withoutSecrets(field: string, text: string, length: number): string {
  return said.has(field) ? scrub(text.slice(0, length + furtherLooked)) : text;
}

/** The entry with every text well-formed and of bounded length, since what is kept is kept for ever. */
export function bounded(entry: Told): Told {
  const texts = Object.entries(longest).map(([field, length]) => {
    const text = withoutSecrets(field, entry[field as keyof typeof longest], length);
    return [field, text.slice(0, length).toWellFormed()];
  });
  return { ...entry, ...Object.fromEntries(texts) };
}
