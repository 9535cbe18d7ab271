import type { UpdatePluginRequest, UpdatePluginResponse } from "@registry/contracts/catalog";
import { invalid, isAdmin, isLongerThan, isPlainText, parseTeamName, permissionDenied } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayGiveAway, mayUpdate } from "../model/access.ts";
import { auditTarget } from "../model/audit.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { assertHarmless } from "../model/texts.ts";
import type { Parts } from "../parts.ts";
import type { PluginEdit } from "../projector.ts";
import { assertTeam, assertTeamVisibility } from "../publish/ownership.ts";
import { fromVisibility } from "../wire.ts";
import { changePlugin } from "./change-plugin.ts";
import { findPlugin } from "./find-plugin.ts";
import { handOver, newOwner, withTeam } from "./transfer-plugin.ts";

export function updatePlugin(parts: Parts) {
  return async (request: UpdatePluginRequest, context: CallContext): Promise<UpdatePluginResponse> => {
    const { caller } = context;
    const authorise = (plugin: PluginDocument): void => {
      if (!mayUpdate(caller, plugin)) throw permissionDenied();
      const decides = [request.visibility, request.owner, request.team].some((asked) => asked !== undefined);
      if (decides && !mayGiveAway(caller, plugin)) throw permissionDenied();
      if (request.verified !== undefined && !isAdmin(caller)) throw permissionDenied();
    };
    // Before anything is asked of others, so that nobody learns here which users exist.
    const found = await findPlugin(parts, request.name, caller);
    context.audit(auditTarget(found));
    authorise(found);
    const given = readGiven(request);
    assertHarmless(given.overrides, parts.policy);
    const transfer = request.owner === undefined ? undefined : await newOwner(parts, found, request.owner, context);
    const team = await teamFor(parts, found, request, context);
    const plugin = await changePlugin(parts, request.name, context, (before): PluginEdit => {
      authorise(before);
      const overrides = { ...before.overrides, ...given.overrides };
      const kept = Object.entries(overrides).filter(([, text]) => text !== "");
      const edit = { set: { ...given.set, overrides: Object.fromEntries(kept) } };
      if (transfer !== undefined) return handOver(before, transfer, edit);
      assertTeamVisibility(given.set.visibility ?? before.visibility, team);
      return withTeam(before, team, edit);
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
    throw invalid("INVALID_VISIBILITY", "visibility: use public, internal, team or private", "/visibility");
  }
  if (title !== undefined) assertText(title, 200, "title");
  if (description !== undefined) assertText(description, 1000, "description");
  return {
    set: { ...(visibility === undefined ? {} : { visibility }), ...(verified === undefined ? {} : { verified }) },
    overrides: { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) },
  };
}

function assertText(text: string, longest: number, field: "title" | "description"): void {
  if (!isLongerThan(text, longest) && isPlainText(text)) return;
  const message = `${field}: use up to ${longest} characters without control characters`;
  throw invalid(`INVALID_${field.toUpperCase()}`, message, `/${field}`);
}

/** The team that it will have; it goes with the organisation. */
async function teamFor(
  parts: Parts,
  plugin: PluginDocument,
  request: UpdatePluginRequest,
  context: CallContext,
): Promise<string | undefined> {
  if (request.team === undefined) return plugin.team;
  if (request.team === "") return undefined;
  const team = parseTeamName(request.team, "/team");
  await assertTeam(parts, plugin.org, team, context);
  return team;
}
