import type { FilterVisibleRequest, FilterVisibleResponse, Sight } from "@registry/contracts/catalog";
import {
  type Caller,
  invalid,
  isPluginName,
  isVersion,
  type PluginName,
  permissionDenied,
  unauthenticated,
} from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { maySee, maySeeState, maySeeTombstone } from "../model/access.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { type ReleaseHead, releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";

const most = 500;
const unseen: Sight = { plugin: false, release: false };

/**
 * Reads the store, not memory: whoever lost a right hears nothing from then on.
 * @throws `permission_denied` for direct callers: what was hidden altogether is still a plugin here, whose withdrawal those
 * have to hear of who could see it
 */
export function filterVisible(parts: Parts) {
  return async ({ items }: FilterVisibleRequest, context: CallContext): Promise<FilterVisibleResponse> => {
    refuseDirect(context);
    if (items.length > most) throw invalid("TOO_MANY_ITEMS", `items: at most ${most}`, "/items");
    const names = [...new Set(items.map(({ name }) => name))].filter(isPluginName);
    const known = new Map((await parts.plugins.some(names)).map((plugin) => [plugin._id as string, plugin]));
    const seen = (name: string): PluginDocument | undefined => {
      const plugin = known.get(name);
      return plugin !== undefined && maySee(context.caller, plugin) ? plugin : undefined;
    };
    const ids = items.flatMap(({ name, version }) =>
      isVersion(version) && seen(name) !== undefined ? [releaseId(name as PluginName, version)] : [],
    );
    const heads = new Map((await parts.releases.some([...new Set(ids)])).map((head) => [head._id, head]));
    const sights = items.map(({ name, version }): Sight => {
      const plugin = seen(name);
      const head = heads.get(releaseId(name, version));
      if (plugin === undefined || !isKnown(plugin, head)) return unseen;
      return { plugin: true, release: head !== undefined && seesRelease(context.caller, plugin, head) };
    });
    return { sights };
  };
}

function refuseDirect({ caller, via }: CallContext): void {
  if (via !== undefined || caller.type === "service") return;
  throw caller.type === "anonymous" ? unauthenticated() : permissionDenied();
}

/** A plugin is known from its first publication on. Its document follows the release, whose event may be ahead of that. */
function isKnown(plugin: PluginDocument, head: ReleaseHead | undefined): boolean {
  return plugin.published || head?.publishedAt !== undefined;
}

function seesRelease(caller: Caller, plugin: PluginDocument, head: ReleaseHead): boolean {
  return head.state === "deleted" ? maySeeTombstone(caller, plugin, head) : maySeeState(caller, plugin, head);
}
