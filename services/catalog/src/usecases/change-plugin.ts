import { changeOf } from "@registry/audit";
import type { Plugin } from "@registry/contracts/catalog";
import { type Caller, pluginNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { auditTarget, pluginFacts } from "../model/audit.ts";
import { type PluginDocument, shownVisibility } from "../model/plugin.ts";
import type { ReleaseHead } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import type { PluginEdit } from "../projector.ts";
import { toPlugin } from "../wire.ts";
import { visibleTo } from "./details.ts";
import { findPlugin } from "./find-plugin.ts";

export function nameOf(caller: Caller): string {
  return caller.type === "user" ? caller.username : caller.type === "service" ? caller.name : "";
}

/**
 * Changes what is not in an archive, and tells of it by `registry.catalog.plugin.updated`.
 * @param decide on the plugin as it is in the moment of the write; throws where the caller may not
 */
export async function changePlugin(
  parts: Parts,
  name: string,
  context: CallContext,
  decide: (plugin: PluginDocument, heads: readonly ReleaseHead[]) => PluginEdit,
): Promise<Plugin> {
  const { caller } = context;
  const { _id } = await findPlugin(parts, name, caller);
  let found: PluginDocument | undefined;
  const plugin = await parts.projector.project(_id, (before, heads) => {
    visibleTo(caller, before, heads);
    found = before;
    const event = (after: PluginDocument, revision: number) =>
      parts.events.make("registry.catalog.plugin.updated", _id, {
        plugin: _id,
        visibility: shownVisibility(after),
        updatedBy: nameOf(caller),
        revision,
      });
    return { event, ...decide(before, heads) };
  });
  if (plugin === null || found === undefined) throw pluginNotFound();
  context.audit({
    ...auditTarget({ _id, org: found.org ?? plugin.org }),
    ...changeOf(pluginFacts(found), pluginFacts(plugin)),
  });
  parts.kick();
  return toPlugin(plugin, caller);
}
