import { type Caller, isPluginName, type PluginName, pluginNotFound } from "@registry/domain";
import { maySee, seesHidden } from "../model/access.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";

/**
 * The plugin of that name as the store has it now, so that whoever made a change on another replica sees it.
 * @throws `not_found` PLUGIN_NOT_FOUND, alike for what is not there and what the caller may not see
 */
export async function findPlugin(parts: Pick<Parts, "plugins">, name: string, caller: Caller): Promise<PluginDocument> {
  const plugin = isPluginName(name) ? await parts.plugins.getEvenly(name as PluginName) : null;
  if (plugin === null || !maySee(caller, plugin)) throw pluginNotFound();
  // A name whose first release is held back is there for those who deal with it.
  if (!plugin.published && !(caller.type === "user" && seesHidden(caller, plugin))) throw pluginNotFound();
  return plugin;
}
