import type { TransferPluginRequest, TransferPluginResponse } from "@registry/contracts/catalog";
import {
  type Caller,
  invalid,
  namespaceOf,
  parseOrgName,
  permissionDenied,
  quote,
  RegistryError,
} from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayGiveAway } from "../model/access.ts";
import { auditTarget } from "../model/audit.ts";
import type { Ownership, PluginDocument } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";
import type { PluginEdit } from "../projector.ts";
import { orgToOwn, userToOwn } from "../publish/ownership.ts";
import { changePlugin } from "./change-plugin.ts";
import { findPlugin } from "./find-plugin.ts";

/**
 * Everything that was decided for the old owner ends with it: roles of single users, the team, what the team alone sees,
 * and that an administrator vouched for it.
 */
export function transferPlugin(parts: Parts) {
  return async (request: TransferPluginRequest, context: CallContext): Promise<TransferPluginResponse> => {
    const { caller } = context;
    const found = await findPlugin(parts, request.name, caller);
    context.audit(auditTarget(found));
    if (!mayGiveAway(caller, found)) throw permissionDenied();
    const owner = await receiver(parts, found, request, context);
    const plugin = await changePlugin(parts, request.name, context, (before) => {
      if (!mayGiveAway(caller, before)) throw permissionDenied();
      return handOver(before, owner, { set: {} });
    });
    return { plugin };
  };
}

async function receiver(
  parts: Parts,
  plugin: PluginDocument,
  request: TransferPluginRequest,
  context: CallContext,
): Promise<Ownership> {
  switch (request.ownerType) {
    case "":
    case "user":
      return newOwner(parts, plugin, request.owner, context);
    case "organisation": {
      const org = parseOrgName(request.owner, "/owner");
      assertStays(plugin, org);
      return orgToOwn(parts, asUser(context.caller), plugin._id, org, "/owner", context);
    }
    default:
      throw invalid("INVALID_OWNER_TYPE", "owner_type: use user or organisation", "/owner_type");
  }
}

function asUser(caller: Caller) {
  if (caller.type !== "user") throw permissionDenied();
  return caller;
}

/** A user to whom the plugin may go. @throws `invalid_argument` UNKNOWN_OWNER, `rejected` NAMESPACE_KEEPS_NAME */
export async function newOwner(
  parts: Parts,
  plugin: PluginDocument,
  username: string,
  context: CallContext,
): Promise<Ownership> {
  const owner = await userToOwn(parts, username, context);
  assertStays(plugin, owner.owner);
  return owner;
}

/** Whoever reads `@acme/…` takes it for acme's. */
function assertStays({ _id }: PluginDocument, owner: string): void {
  const namespace = namespaceOf(_id);
  if (namespace === undefined || namespace === owner) return;
  const message = `owner: ${quote(_id)} stays with its namespace; publish under another name to give it away`;
  throw new RegistryError("rejected", "NAMESPACE_KEEPS_NAME", message, {
    fields: [{ pointer: "/owner", reason: message }],
  });
}

type Field = NonNullable<PluginEdit["unset"]>[number];

/** The edit, with another owner. */
export function handOver(before: PluginDocument, owner: Ownership, edit: PluginEdit): PluginEdit {
  const visibility = edit.set?.visibility ?? before.visibility;
  if (visibility === "team" && edit.set?.visibility !== undefined) {
    throw invalid("INVALID_VISIBILITY", "visibility: a plugin that changes hands has no team yet", "/visibility");
  }
  const gone = present(before, owner.org === undefined ? ["org", "team", "collaborators"] : ["team", "collaborators"]);
  return {
    ...edit,
    set: {
      verified: false,
      ...edit.set,
      ...owner,
      ...(visibility === "team" ? { visibility: "private" as const } : {}),
    },
    unset: [...(edit.unset ?? []), ...gone],
  };
}

/** The edit, with this team. */
export function withTeam(before: PluginDocument, team: string | undefined, edit: PluginEdit): PluginEdit {
  if (team === before.team) return edit;
  if (team === undefined) return { ...edit, unset: [...(edit.unset ?? []), "team"] };
  return { ...edit, set: { ...edit.set, team } };
}

function present(plugin: PluginDocument, fields: readonly Field[]): Field[] {
  return fields.filter((field) => plugin[field] !== undefined);
}
