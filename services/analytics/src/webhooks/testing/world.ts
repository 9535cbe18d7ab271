import type { AuditEntry } from "@registry/contracts/audit";
import { AuthServiceDefinition, type IssueActingTokenRequest } from "@registry/contracts/auth";
import { PluginUpdated, ReleasePublished } from "@registry/contracts/events";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { type CreateWebhookRequest, type Delivery, WebhookServiceDefinition } from "@registry/contracts/webhooks";
import type { Documents } from "@registry/documents";
import { type Caller, type Membership, notFound, type OrgRole, type UserCaller } from "@registry/domain";
import { anyone, orgClaims, type ServiceClient, signInternalToken } from "@registry/kit";
import { userCaller } from "@registry/kit/testing";
import { expect, vi } from "vitest";
import type { AnalyticsConfig } from "../../parts.ts";
import {
  as,
  composeReplica,
  openWorld,
  type Replica,
  type ReplicaOptions,
  type Shows,
  type World,
} from "../../testing/harness.ts";
import { auditTable } from "../../testing/neighbours.ts";
import { Receiver } from "./receiver.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

export function person(username: string, id: number, org?: string, role: OrgRole = "owner"): UserCaller {
  const memberships: Membership[] = org === undefined ? [] : [{ org, role, teams: {} }];
  return { ...(userCaller(username, "user", id) as UserCaller), memberships };
}

export const ada = userCaller("ada", "admin", 1) as UserCaller;
export const olga = person("olga", 11, "acme");
export const max = person("max", 12, "acme", "maintainer");
export const rita = person("rita", 13, "acme", "reader");
export const sam = person("sam", 14);

/** A registry whose analytics tells webhooks, with receivers on this machine. */
export class WebhookWorld {
  readonly world: World;
  readonly receiver: Receiver;
  readonly audit: AuditEntry[] = [];
  readonly replicas: Replica[] = [];
  /** Users by id and organisations by name, for whom auth lets analytics act. */
  readonly principals = new Map<number | string, Caller>();
  shows: Shows = () => true;
  authAway = false;
  #config: Partial<AnalyticsConfig>;

  private constructor(world: World, receiver: Receiver, config: Partial<AnalyticsConfig>) {
    this.world = world;
    this.receiver = receiver;
    this.#config = config;
    for (const user of [ada, olga, max, rita, sam]) this.principals.set(user.id, user);
    this.principals.set("acme", person("acme", 0, "acme", "maintainer"));
  }

  /** @param documents where everything is kept; a store of its own where absent */
  static async open(config: Partial<AnalyticsConfig> = {}, documents?: Documents): Promise<WebhookWorld> {
    const world = await openWorld();
    return new WebhookWorld(documents === undefined ? world : { ...world, documents }, await Receiver.open(), config);
  }

  async compose(options: ReplicaOptions = {}): Promise<Replica> {
    const config = { WEBHOOK_ALLOWED_NETWORKS: ["127.0.0.0/8"], ...this.#config, ...options.config };
    const replica = await composeReplica(this.world, { ...options, config, shows: (...asked) => this.shows(...asked) });
    this.#hostNeighbours(replica);
    this.replicas.push(replica);
    return replica;
  }

  async start(options: ReplicaOptions = {}): Promise<Replica> {
    const replica = await this.compose(options);
    await replica.service.start();
    return replica;
  }

  #hostNeighbours({ surroundings }: Replica): void {
    const { clock, keys } = surroundings;
    const issueActingToken = async (request: unknown): Promise<unknown> => {
      if (this.authAway) throw new Error("planned absence");
      const { principal } = request as IssueActingTokenRequest;
      const caller = this.principals.get(principal?.value ?? 0);
      if (caller?.type !== "user")
        throw notFound("PRINCIPAL_NOT_FOUND", "There is no such user or organisation any more");
      const { id: user_id, username, role, grants, memberships = [] } = caller;
      const exp = Math.floor(clock.now().getTime() / 1000) + 60;
      const rights = { user_id, username, role, grants, orgs: orgClaims(memberships), epoch: 0 };
      return { internalToken: signInternalToken(keys, { iss: "agenticraft-registry", exp, ...rights }) };
    };
    const getNamespace = async (request: unknown): Promise<unknown> =>
      (request as { name: string }).name === "acme" ? { type: "organisation" } : {};
    const row = (handle: (request: unknown) => Promise<unknown>) => ({ allow: anyone, handle });
    const auth = { definition: AuthServiceDefinition, rows: { issueActingToken: row(issueActingToken) } };
    surroundings.host(auth);
    surroundings.host({ definition: OrganisationServiceDefinition, rows: { getNamespace: row(getNamespace) } });
    surroundings.host(auditTable(this.audit));
  }

  get first(): Replica {
    const [replica] = this.replicas;
    if (replica === undefined) throw new Error("no replica");
    return replica;
  }

  get service(): ServiceClient<typeof WebhookServiceDefinition> {
    return this.first.surroundings.clients.of(WebhookServiceDefinition);
  }

  as(caller: Caller) {
    return as(this.first, caller);
  }

  async create(request: Partial<CreateWebhookRequest> = {}, caller: Caller = olga) {
    const { webhook, secret } = await this.service.createWebhook(
      { url: this.receiver.url(), ...request },
      this.as(caller),
    );
    return { id: webhook?.id ?? "", secret, webhook };
  }

  async get(id: string, caller: Caller = ada) {
    return (await this.service.getWebhook({ id }, this.as(caller))).webhook;
  }

  async log(webhookId: string, caller: Caller = ada): Promise<Delivery[]> {
    return (await this.service.listDeliveries({ webhookId, page: { pageSize: 500 } }, this.as(caller))).deliveries;
  }

  publish(plugin: string, version = "1.0.0", id?: string): Promise<void> {
    const event = { plugin, version, sha256: "ab", visibility: "public", publishedBy: "olga" };
    return this.world.publish("registry.catalog.release.published", ReleasePublished.fromPartial(event), id);
  }

  update(plugin: string): Promise<void> {
    const event = { plugin, visibility: "public", updatedBy: "olga" };
    return this.world.publish("registry.catalog.plugin.updated", PluginUpdated.fromPartial(event));
  }

  /** Time passes for every replica. */
  advance(ms: number): void {
    for (const { surroundings } of this.replicas) surroundings.clock.advance(ms);
  }

  /** Waits for something to be as expected, however busy the machine is. */
  until(expectation: () => unknown): Promise<unknown> {
    return vi.waitFor(expectation, { timeout: 20_000, interval: 50 });
  }

  /** Waits until so many requests came to the receiver in all. */
  async requests(count: number): Promise<void> {
    await this.until(() => expect(this.receiver.received.length).toBe(count));
  }

  /** Waits until so many attempts are in a webhook's log, so that time may pass. */
  async attempts(webhookId: string, count: number): Promise<void> {
    await this.until(async () => {
      const made = (await this.log(webhookId)).reduce((sum, { attempts }) => sum + attempts.length, 0);
      expect(made).toBe(count);
    });
  }

  async metrics(): Promise<string> {
    return this.first.surroundings.metrics.registry.metrics();
  }

  async close(): Promise<void> {
    await this.receiver.close();
    for (const replica of this.replicas.splice(0)) await replica.close();
    await this.world.close();
  }
}
