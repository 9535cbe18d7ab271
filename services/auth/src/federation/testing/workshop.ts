import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  CreateTrustedPublisherRequest,
  CreateTrustedPublisherResponse,
  ExchangeIdTokenResponse,
} from "@registry/contracts/federation";
import type { Caller } from "@registry/domain";
import type { CallOptions } from "@registry/kit";
import { afterAll, beforeAll, expect } from "vitest";
import { BuildSystem } from "../../testing/build-system.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "../../testing/harness.ts";

export const audience = "agenticraft-registry";
/** What the workflows of the tests are known by. */
export const repository = { repository_id: "4711", repository_owner_id: "42", ref: "refs/heads/main" };

/** A registry that trusts a build system, and people who use both. It may be used once `beforeAll` has run. */
export interface Workshop {
  readonly store: Store;
  readonly builds: BuildSystem;
  readonly replica: Replica;
  readonly admin: CallOptions;
  readonly ann: CallOptions;
  readonly ben: CallOptions;
  newUser(username: string): Promise<CallOptions>;
  /** A name that no other test has. */
  nextName(stem: string): string;
  /** A replica beside the first one, whose clock shows the same. */
  anotherReplica(issuer?: string): Promise<Replica>;
  create(
    plugin: string,
    as?: CallOptions,
    change?: Partial<CreateTrustedPublisherRequest>,
  ): Promise<CreateTrustedPublisherResponse>;
  /** Whole seconds since 1970 by the registry's clock. */
  seconds(offset?: number): number;
  /** Claims of a token that a workflow of that repository is given. */
  workflow(change?: object): Record<string, unknown>;
  exchange(idToken: string, plugin: string, at?: Replica): Promise<ExchangeIdTokenResponse>;
  /** Fails unless this token is turned away like every other. */
  refuses(idToken: string, plugin: string): Promise<void>;
  callerOf(token: string): Promise<Caller>;
}

const password = "correct horse battery";
type Running = Pick<Workshop, "store" | "builds" | "replica" | "admin" | "ann" | "ben">;

/** For the calling file: started before its tests, and closed after them. */
export function createWorkshop(): Workshop {
  let running: Running | undefined;
  let made = 0;
  const workshop = (): Running => {
    if (running === undefined) throw new Error("the registry is not started yet");
    return running;
  };
  beforeAll(async () => {
    running = await start();
  });
  afterAll(async () => {
    await running?.replica.close();
    await running?.builds.close();
    await running?.store.close();
  });

  const seconds = (offset = 0): number =>
    Math.floor(workshop().replica.surroundings.clock.now().getTime() / 1000) + offset;
  const exchange: Workshop["exchange"] = (idToken, plugin, { federation } = workshop().replica) =>
    federation.exchangeIdToken({ idToken, plugin });
  const actions: Omit<Workshop, keyof Running> = {
    seconds,
    exchange,
    newUser: (username) => newUser(workshop().replica, workshop().admin, username),
    nextName: (stem) => `${stem}-${++made}`,
    async anotherReplica(issuer = workshop().builds.issuer) {
      const other = await startReplica(workshop().store, { config: { TRUSTED_ISSUERS: [issuer] } });
      const { clock } = other.surroundings;
      clock.advance(workshop().replica.surroundings.clock.now().getTime() - clock.now().getTime());
      return other;
    },
    create(plugin, as = workshop().ann, change = {}) {
      const request = { plugin, issuer: workshop().builds.issuer, claims: repository, ...change };
      return workshop().replica.federation.createTrustedPublisher(request, as);
    },
    workflow: (change = {}) => ({
      iss: workshop().builds.issuer,
      aud: audience,
      sub: "repo:acme/tools:ref:refs/heads/main",
      iat: seconds(),
      exp: seconds(300),
      jti: `jti-${++made}`,
      repository: "acme/tools",
      ...repository,
      ...change,
    }),
    async refuses(idToken, plugin) {
      const { kind, reason, message } = await failure(exchange(idToken, plugin));
      expect([kind, reason, message]).toEqual(["unauthenticated", "INVALID_CREDENTIAL", "Invalid authentication"]);
    },
    async callerOf(token) {
      return (await workshop().replica.surroundings.identity.resolve(`Bearer ${token}`)).caller;
    },
  };
  return Object.defineProperties(actions, getters(workshop)) as Workshop;
}

function getters(workshop: () => Running): PropertyDescriptorMap {
  const names = ["store", "builds", "replica", "admin", "ann", "ben"] as const;
  return Object.fromEntries(names.map((name) => [name, { get: () => workshop()[name] }]));
}

async function start(): Promise<Running> {
  const [store, builds] = await Promise.all([openStore(), BuildSystem.start()]);
  const replica = await startReplica(store, { config: { TRUSTED_ISSUERS: [builds.issuer] } });
  const admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
  const [ann, ben] = [await newUser(replica, admin, "ann"), await newUser(replica, admin, "ben")];
  return { store, builds, replica, admin, ann, ben };
}

async function newUser(replica: Replica, admin: CallOptions, username: string): Promise<CallOptions> {
  await replica.auth.createUser({ username, role: "publisher", password }, admin);
  return bearer((await replica.auth.login({ username, password })).token);
}
