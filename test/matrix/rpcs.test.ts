import { AnalyticsServiceDefinition, InsightsServiceDefinition } from "@registry/contracts/analytics";
import { EventServiceDefinition } from "@registry/contracts/analytics-events";
import { AuditServiceDefinition } from "@registry/contracts/audit";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { CatalogServiceDefinition, DependentsServiceDefinition } from "@registry/contracts/catalog";
import { ChangeServiceDefinition } from "@registry/contracts/changes";
import { FederationServiceDefinition } from "@registry/contracts/federation";
import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import { deriveKeys, signInternalToken } from "@registry/kit";
import {
  ClientError,
  type CompatServiceDefinition,
  createChannel,
  createClientFactory,
  Metadata,
  Status,
} from "nice-grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorld } from "../e2e/world.ts";
import { createFixture, type Fixture } from "./fixture.ts";
import { type CallerKind, callerKinds, type Expected, expectedFor } from "./row.ts";
import {
  analyticsRows,
  auditRows,
  authRows,
  catalogRows,
  changeRows,
  dependentsRows,
  eventRows,
  federationRows,
  insightsRows,
  maintenanceRows,
  organisationRows,
  type RpcRow,
  storageRows,
  webhookRows,
} from "./rpc-rows.ts";

const secretKey = "a secret key that only this test and its registry share";
const keys = deriveKeys(secretKey);

/** Every service of the contracts, with its rows. */
const areas = {
  auth: [AuthServiceDefinition, authRows],
  organisations: [OrganisationServiceDefinition, organisationRows],
  federation: [FederationServiceDefinition, federationRows],
  audit: [AuditServiceDefinition, auditRows],
  catalog: [CatalogServiceDefinition, catalogRows],
  storage: [StorageServiceDefinition, storageRows],
  analytics: [AnalyticsServiceDefinition, analyticsRows],
  webhooks: [WebhookServiceDefinition, webhookRows],
  changes: [ChangeServiceDefinition, changeRows],
  insights: [InsightsServiceDefinition, insightsRows],
  dependents: [DependentsServiceDefinition, dependentsRows],
  events: [EventServiceDefinition, eventRows],
  maintenance: [MaintenanceServiceDefinition, maintenanceRows],
} as const;

const words: { readonly [code in Status]?: Expected } = {
  [Status.UNAUTHENTICATED]: "unauthenticated",
  [Status.PERMISSION_DENIED]: "denied",
  [Status.NOT_FOUND]: "missing",
};
/** A fault, or something that was never built, is nobody's right. */
const faults: readonly Status[] = [Status.INTERNAL, Status.UNKNOWN, Status.UNIMPLEMENTED, Status.UNAVAILABLE];

type AnyMethod = { readonly requestStream: boolean; readonly responseStream: boolean };
type AnyCall = (request: unknown, options: object) => unknown;

describe("every RPC, called by every kind of caller", () => {
  const world = createWorld("embedded", { SECRET_KEY: secretKey, RATE_LIMIT_WRITES: "0" });
  let fixture: Fixture;
  let channel: ReturnType<typeof createChannel>;
  beforeAll(async () => {
    fixture = await createFixture(world);
    channel = createChannel(world.stack.grpc.catalog[0] ?? "");
  }, 120_000);
  afterAll(() => channel.close());

  async function call(
    definition: (typeof areas)[keyof typeof areas][0],
    method: string,
    message: object,
    token: string | undefined,
  ): Promise<string> {
    const metadata = Metadata(token === undefined ? {} : { authorization: `Bearer ${token}` });
    const client = createClientFactory().create(definition as unknown as CompatServiceDefinition, channel);
    const { requestStream, responseStream } = (definition.methods as unknown as Record<string, AnyMethod>)[method] ?? {
      requestStream: false,
      responseStream: false,
    };
    const invoke = (client as unknown as Record<string, AnyCall>)[method];
    const ended = new AbortController();
    try {
      const answer = invoke?.(requestStream ? none() : message, { metadata, signal: ended.signal });
      if (responseStream) await (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
      else await (answer as Promise<unknown>);
      return "ok";
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return words[error.code] ?? (faults.includes(error.code) ? `${Status[error.code]}: ${error.details}` : "ok");
    } finally {
      ended.abort();
    }
  }

  describe.each(Object.keys(areas) as (keyof typeof areas)[])("%s", (area) => {
    const [definition, rows] = areas[area];

    it("has a row for each", () => {
      expect(Object.keys(rows).sort()).toEqual(Object.keys(definition.methods).sort());
    });

    it.each(Object.keys(rows))("%s", async (method) => {
      const row: RpcRow | undefined = rows[method];
      if (row === undefined) throw new Error("no row");
      const outcomes: Partial<Record<CallerKind, string>> = {};
      for (const kind of callerKinds) {
        const message = await row.ask(fixture, kind);
        outcomes[kind] = await call(definition, method, message, fixture.callers[kind].token);
        if (outcomes[kind] === "ok" && row.spends === true) fixture.spend();
      }
      const expected = Object.fromEntries(callerKinds.map((kind) => [kind, expectedFor(row, kind)]));
      expect(outcomes).toEqual(expected);
    });

    it.each(Object.keys(rows))("%s, by the registry's own services", async (method) => {
      const row: RpcRow | undefined = rows[method];
      if (row === undefined) throw new Error("no row");
      const exp = Math.floor(Date.now() / 1000) + 60;
      for (const service of ["auth", "catalog", "storage", "analytics", "gateway", "cli"]) {
        const token = signInternalToken(keys, { iss: "agenticraft-registry", exp, svc: service });
        const outcome = await call(definition, method, await row.ask(fixture, "admin"), token);
        const letIn = row.services?.includes(service) === true;
        // What is let in may still ask for what is not there.
        if (letIn) expect([service, outcome]).not.toEqual([service, "denied"]);
        else expect([service, outcome]).toEqual([service, row.othersAre ?? "denied"]);
        if (outcome === "ok" && row.spends === true) fixture.spend();
      }
      const forged = signInternalToken(deriveKeys(`${secretKey}!`), {
        iss: "agenticraft-registry",
        exp,
        svc: "gateway",
      });
      const refused = await call(definition, method, await row.ask(fixture, "admin"), forged);
      expect(refused).toBe(expectedFor(row, "revoked"));
      fixture.spend();
    });
  });
});

async function* none(): AsyncGenerator<never> {}
