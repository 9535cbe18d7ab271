import { RegistryError } from "@registry/domain";
import { serviceNames } from "../service.ts";
import type { ErasedRow, ServiceTable } from "./table.ts";

/** RPCs that services alone may call are the group `internal`; every other belongs to its service. */
export const rpcGroups = ["internal", "auth", "catalog", "storage", "analytics"] as const;
export type RpcGroup = (typeof rpcGroups)[number];

/** Names by key, as `key=a|b; other=*` writes them. */
export type NameLists = ReadonlyMap<string, readonly string[]>;

/** Who the registry's own programs are in their certificates. */
export const ownNames: readonly string[] = [...serviceNames, "registry", "cli"];

const namePattern = /^(?:\*|[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)$/i;

/**
 * Reads `key=a|b; other=*`.
 * @throws Error saying which part is wrong, and what is allowed
 */
export function parseNameLists(text: string, keys: readonly string[]): NameLists {
  const lists = new Map<string, readonly string[]>();
  for (const part of text.split(";").map((each) => each.trim())) {
    if (part === "") continue;
    const [key = "", names, ...more] = part.split("=").map((each) => each.trim());
    if (names === undefined || more.length > 0) throw new Error(`"${part}": expected name=client|client`);
    if (!keys.includes(key)) throw new Error(`"${key}": expected one of ${keys.join(", ")}`);
    if (lists.has(key)) throw new Error(`"${key}" is there twice`);
    const list = names.split("|").map((each) => each.trim().toLowerCase());
    const bad = list.find((each) => !namePattern.test(each));
    if (bad !== undefined) throw new Error(`"${bad}": expected a name from a certificate, or *`);
    lists.set(key, list);
  }
  return lists;
}

export interface ClientRulesOptions {
  /** By group; `*` is any certificate of the authorities. Default: `internal` is for the registry's own, the rest for all. */
  readonly groups: NameLists;
  /** Further names under which a service's certificate may go. */
  readonly aliases: NameLists;
}

/**
 * Which certificates may call what. Over a connection without certificates nothing is asked here: there the network is
 * what is trusted.
 */
export class ClientRules {
  readonly #groups: NameLists;
  readonly #aliases: NameLists;
  readonly #own: readonly string[];

  constructor({ groups, aliases }: ClientRulesOptions) {
    this.#groups = groups;
    this.#aliases = aliases;
    this.#own = groups.get("internal") ?? [...ownNames, ...[...aliases.values()].flat()];
  }

  /**
   * Whether a certificate with these names may call the method at all. What may call `internal` may call everything, so
   * that a list of outside clients does not shut out the registry itself.
   * @throws kind `permission_denied`, reason `CLIENT_NOT_ALLOWED`
   */
  admit(names: readonly string[], group: RpcGroup): void {
    const allowed = group === "internal" ? this.#own : [...this.#own, ...(this.#groups.get(group) ?? ["*"])];
    if (!allowed.includes("*") && !names.some((name) => allowed.includes(name))) throw clientNotAllowed();
  }

  /**
   * Whether the holder of a service's token is that service by its certificate, too: a token that was stolen is worth
   * nothing to another.
   * @throws kind `permission_denied`, reason `CLIENT_NOT_ALLOWED`
   */
  prove(names: readonly string[], service: string): void {
    const known = [service, ...(this.#aliases.get(service) ?? [])];
    if (!names.some((name) => known.includes(name))) throw clientNotAllowed();
  }
}

/** The group that a method is in. */
export function groupOf(table: ServiceTable, row: ErasedRow): RpcGroup {
  if (row.allow.services !== undefined) return "internal";
  const area = table.definition.fullName.split(".")[1];
  const found = rpcGroups.find((group) => group === area);
  // A service outside of our contracts exists in tests alone.
  return found ?? "internal";
}

function clientNotAllowed(): RegistryError {
  return new RegistryError(
    "permission_denied",
    "CLIENT_NOT_ALLOWED",
    "The client's certificate is not one that may make this call; see GRPC_CLIENTS",
  );
}
