import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import { type CallOptions, type Clients, partsOf } from "@registry/kit";
import { isTold, type Told } from "./model/change.ts";

/** As many as the catalog takes in one call. */
const atOnce = 500;

/**
 * Those that the caller is told of, by the rights that it has now.
 * @param options in whose name the catalog is asked
 */
export async function visibleAmong<T extends Told>(
  clients: Clients,
  changes: readonly T[],
  options: CallOptions,
): Promise<T[]> {
  const visible: T[] = [];
  for (const some of partsOf(changes, atOnce)) {
    const items = some.map(({ plugin: name, version = "" }) => ({ name, version }));
    const { sights } = await clients.of(CatalogServiceDefinition).filterVisible({ items }, options);
    visible.push(...some.filter((change, i) => isTold(change, sights[i] ?? { plugin: false, release: false })));
  }
  return visible;
}
