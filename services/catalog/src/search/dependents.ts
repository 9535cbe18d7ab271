import type { Need } from "../model/dependencies.ts";
import type { PluginDocument } from "../model/plugin.ts";

/** Which plugins need which, in memory, turned around. */
export class Dependents {
  readonly #byNeeded = new Map<string, Map<string, PluginDocument>>();

  add(plugin: PluginDocument): void {
    for (const { name } of plugin.needs ?? []) {
      const known = this.#byNeeded.get(name) ?? new Map<string, PluginDocument>();
      this.#byNeeded.set(name, known);
      known.set(plugin._id, plugin);
    }
  }

  remove(plugin: PluginDocument): void {
    for (const { name } of plugin.needs ?? []) {
      const known = this.#byNeeded.get(name);
      known?.delete(plugin._id);
      if (known?.size === 0) this.#byNeeded.delete(name);
    }
  }

  /** By name. */
  of(name: string): readonly { readonly plugin: PluginDocument; readonly need: Need }[] {
    const found = [...(this.#byNeeded.get(name)?.values() ?? [])].flatMap((plugin) => {
      const need = plugin.needs?.find((each) => each.name === name);
      return need === undefined ? [] : [{ plugin, need }];
    });
    return found.sort((a, b) => (a.plugin._id < b.plugin._id ? -1 : 1));
  }
}
