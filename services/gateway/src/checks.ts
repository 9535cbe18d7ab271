import type { CatalogServiceDefinition } from "@registry/contracts/catalog";
import type { StorageServiceDefinition } from "@registry/contracts/storage";
import { type Clock, isRecent, probe, type ServiceClient } from "@registry/kit";
import type { ChangeWatch } from "./watch.ts";

export interface CheckDeps {
  readonly catalog: ServiceClient<typeof CatalogServiceDefinition>;
  readonly storage: ServiceClient<typeof StorageServiceDefinition>;
  readonly bus: { ping(): Promise<void> } | undefined;
  readonly watch: ChangeWatch;
  readonly clock: Clock;
}

/**
 * For so long no catalog replica at all may be silent. One of several that is away is no reason to stop sending work, for
 * however long: reads pass the cache by until it is back.
 */
const borneWithMs = 10_000;
/** Longer than the second that each service allows its own probes: one that is late is an answer, too. */
const options = { as: "service", timeoutMs: 1500 } as const;

type Checks = { readonly [name: string]: boolean };

/** Asks catalog and storage for what they need themselves; answers within a second and a half. */
export function createChecks({
  catalog,
  storage,
  bus,
  watch,
  clock,
}: CheckDeps): () => Promise<Record<string, boolean>> {
  const ask = async (answer: Promise<{ readonly checks: Checks }>): Promise<Checks> =>
    answer.then(
      ({ checks }) => checks,
      () => ({}),
    );
  return async () => {
    const [ofCatalog, ofStorage, onBus] = await Promise.all([
      ask(catalog.check({}, options)),
      ask(storage.check({}, options)),
      bus === undefined ? undefined : probe(() => bus.ping()),
    ]);
    return {
      database: ofCatalog.database === true && ofStorage.database !== false,
      storage: ofStorage.storage === true,
      cache: isRecent(clock, watch.lastHeardAt, borneWithMs),
      ...(onBus === undefined ? {} : { bus: onBus }),
    };
  };
}
