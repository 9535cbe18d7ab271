import { AuthServiceDefinition } from "@registry/contracts/auth";
import { isRegistryError } from "@registry/domain";
import type { CallOptions, Clients, Clock, Ids } from "@registry/kit";
import type { Told } from "../changes/model/change.ts";
import { visibleAmong } from "../changes/visible.ts";
import type { Delivery } from "./model/delivery.ts";
import { type Owner, ownerOf, type Webhook } from "./model/webhook.ts";

const timeoutMs = 10_000;

export interface SightsDeps {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What the owner of a webhook may know, by the rights that it has when it is asked. */
export class Sights {
  readonly #deps: SightsDeps;

  constructor(deps: SightsDeps) {
    this.#deps = deps;
  }

  /**
   * Those that the owner may be told of; none where the owner is gone or deactivated.
   * @throws where auth or the catalog is away
   */
  async among(webhook: Webhook, deliveries: readonly Delivery[], signal: AbortSignal): Promise<Delivery[]> {
    const options = await this.#actAs(ownerOf(webhook), signal);
    if (options === undefined) return [];
    const changes = deliveries.flatMap((delivery) => toTold(delivery) ?? []);
    const visible = changes.length === 0 ? [] : await visibleAmong(this.#deps.clients, changes, options);
    const ids = new Set(visible.map(({ id }) => id));
    return deliveries.filter(({ _id, type }) => type === "ping" || ids.has(_id));
  }

  async #actAs(owner: Owner, signal: AbortSignal): Promise<CallOptions | undefined> {
    const { clients, clock, ids } = this.#deps;
    const principal =
      owner.type === "user"
        ? ({ $case: "userId", value: owner.id } as const)
        : ({ $case: "organisation", value: owner.name } as const);
    try {
      const auth = clients.of(AuthServiceDefinition);
      const { internalToken } = await auth.issueActingToken({ principal }, { as: "service", timeoutMs, signal });
      const deadline = new Date(clock.now().getTime() + timeoutMs);
      const authorization = `Bearer ${internalToken}`;
      return { timeoutMs, context: { authorization, signal, deadline, requestId: ids.unique(), address: undefined } };
    } catch (error) {
      if (isRegistryError(error) && error.reason === "PRINCIPAL_NOT_FOUND") return undefined;
      throw error;
    }
  }
}

function toTold({ _id: id, type, plugin, version, time }: Delivery): (Told & { readonly id: string }) | undefined {
  if (type === "ping" || plugin === undefined) return undefined;
  return { id, type, plugin, time, ...(version === undefined ? {} : { version }) };
}
