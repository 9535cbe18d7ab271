import type { ListAuditRequest } from "@registry/contracts/audit";
import type { Condition, Filter } from "@registry/documents";
import {
  type Caller,
  invalid,
  isAdmin,
  isUnscoped,
  notFound,
  pageSizeOf,
  permissionDenied,
  wrongPageToken,
} from "@registry/domain";
import type { AuditUseCase } from "./parts.ts";
import { toEntry } from "./row.ts";

/** Newest first; the page token is time and sequence of the last row of the page before. */
export const listAudit: AuditUseCase<"listAudit"> =
  ({ auditLog }) =>
  async (request, { caller }) => {
    authorise(caller, request.organisation);
    const size = pageSizeOf(request.page);
    const fields = fieldsOf(request);
    const after = readToken(request.page?.pageToken ?? "");
    const time = timesOf(request, after?.time);
    const filter: Filter = time === undefined ? fields : { ...fields, time };
    // Of the moment at which the page before ended, these were shown.
    const shown =
      after === undefined ? 0 : await auditLog.count({ ...fields, time: after.time, _id: { $gte: after.id } });
    const found = await auditLog.newest(filter, shown, size + 1);
    const rows = found.slice(0, size);
    const entries = rows.map(toEntry);
    const last = entries.at(-1);
    const nextPageToken = found.length > size ? `${last?.time?.getTime() ?? 0}-${last?.sequence}` : "";
    return { entries, nextPageToken };
  };

/** What somebody who is not in an organisation asks of it is as if it were not there. */
function authorise(caller: Caller, organisation: string): void {
  if (isAdmin(caller)) return;
  if (organisation === "" || caller.type !== "user") throw permissionDenied();
  const membership = caller.memberships?.find(({ org }) => org === organisation);
  if (membership === undefined) throw notFound("ORGANISATION_NOT_FOUND", "Organisation not found");
  if (membership.role !== "owner" || !isUnscoped(caller)) throw permissionDenied();
}

function fieldsOf({ actor, action, target, organisation, result }: ListAuditRequest) {
  const exact = Object.entries({ actor, target, organisation, result }).filter(([, value]) => value !== "");
  return { ...Object.fromEntries(exact), ...(action === "" ? {} : { action: actionsLike(action) }) };
}

/** `release.*` is every action from `release.` to before `release/`, the character that follows the dot. */
function actionsLike(action: string): string | Condition {
  if (!action.includes("*")) return action;
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.\*$/.test(action)) {
    throw invalid(
      "INVALID_ACTION",
      "action: use a whole one such as release.yank, or a prefix such as release.*",
      "/action",
    );
  }
  const stem = action.slice(0, -2);
  return { $gte: `${stem}.`, $lt: `${stem}/` };
}

function timesOf({ since, until }: ListAuditRequest, pageEnd: Date | undefined): Condition | undefined {
  const bounds = [until === undefined ? {} : { $lt: until }, pageEnd === undefined ? {} : { $lte: pageEnd }];
  const time = { ...(since === undefined ? {} : { $gte: since }), ...bounds[0], ...bounds[1] };
  return Object.keys(time).length === 0 ? undefined : time;
}

function readToken(text: string): { readonly time: Date; readonly id: number } | undefined {
  if (text === "") return undefined;
  const [, time, id] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  if (time === undefined || id === undefined) throw wrongPageToken();
  return { time: new Date(Number(time)), id: Number(id) };
}
