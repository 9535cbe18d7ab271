import type { UpdatePluginRequest, UpdatePluginResponse } from "@registry/contracts/catalog";
import { invalid, isAdmin, isPlainText, isRegistryError, permissionDenied, quote } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayGiveAway, mayUpdate } from "../model/access.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { assertHarmless } from "../model/texts.ts";
import type { Parts } from "../parts.ts";
import type { PluginEdit } from "../projector.ts";
import { fromVisibility } from "../wire.ts";
import { changePlugin } from "./change-plugin.ts";
import { findPlugin } from "./find-plugin.ts";

export function updatePlugin(parts: Parts) {
  return async (request: UpdatePluginRequest, context: CallContext): Promise<UpdatePluginResponse> => {
    const { caller } = context;
    const authorise = (plugin: PluginDocument): void => {
      if (!mayUpdate(caller, plugin)) throw permissionDenied();
      const givesAway = request.visibility !== undefined || request.owner !== undefined;
      if (givesAway && !mayGiveAway(caller, plugin)) throw permissionDenied();
      if (request.verified !== undefined && !isAdmin(caller)) throw permissionDenied();
    };
    // Before anything is asked of others, so that nobody learns here which users exist.
    authorise(await findPlugin(parts, request.name, caller));
    const given = readGiven(request);
    assertHarmless(given.overrides, parts.policy);
    const owner = request.owner === undefined ? {} : await findOwner(parts, request.owner, context);
    const plugin = await changePlugin(parts, request.name, context, (before): PluginEdit => {
      authorise(before);
      const overrides = { ...before.overrides, ...given.overrides };
      const kept = Object.entries(overrides).filter(([, text]) => text !== "");
      return { set: { ...given.set, ...owner, overrides: Object.fromEntries(kept) } };
    });
    return { plugin };
  };
}

interface Given {
  readonly set: Partial<Pick<PluginDocument, "visibility" | "verified">>;
  /** Empty text gives a field back to the archive. */
  readonly overrides: { readonly title?: string; readonly description?: string };
}

/** @throws `invalid_argument`, reasons `INVALID_TITLE`, `INVALID_DESCRIPTION` and `INVALID_VISIBILITY` */
function readGiven(request: UpdatePluginRequest): Given {
  const { title, description, verified } = request;
  const visibility = request.visibility === undefined ? undefined : fromVisibility(request.visibility);
  if (request.visibility !== undefined && visibility === undefined) {
    throw invalid("INVALID_VISIBILITY", "visibility: use public, internal or private", "/visibility");
  }
  if (title !== undefined) assertText(title, 200, "title");
  if (description !== undefined) assertText(description, 1000, "description");
  return {
    set: { ...(visibility === undefined ? {} : { visibility }), ...(verified === undefined ? {} : { verified }) },
    overrides: { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) },
  };
}

function assertText(text: string, longest: number, field: "title" | "description"): void {
  if (text.length <= longest && isPlainText(text)) return;
  const message = `${field}: use up to ${longest} characters without control characters`;
  throw invalid(`INVALID_${field.toUpperCase()}`, message, `/${field}`);
}

async function findOwner(
  parts: Parts,
  username: string,
  context: CallContext,
): Promise<Pick<PluginDocument, "owner" | "ownerId">> {
  const user = await parts
    .auth()
    .getUser({ username }, { context, as: "service" })
    .then((answer) => answer.user)
    .catch((error: unknown) => {
      if (isRegistryError(error) && ["not_found", "unauthenticated", "invalid_argument"].includes(error.kind)) {
        return undefined;
      }
      throw error;
    });
  if (user === undefined || user.disabled) {
    throw invalid("UNKNOWN_OWNER", `owner: there is no user ${quote(username)}`, "/owner");
  }
  return { owner: user.username, ownerId: user.id };
}
