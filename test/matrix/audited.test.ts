import type { ServiceTable } from "@registry/kit";
import { describe, expect, it } from "vitest";
import { changeTable } from "../../services/analytics/src/changes/grpc.ts";
import { eventTable } from "../../services/analytics/src/events/grpc.ts";
import { analyticsTable } from "../../services/analytics/src/grpc.ts";
import { webhookTable } from "../../services/analytics/src/webhooks/grpc.ts";
import { auditTable } from "../../services/auth/src/audit/grpc.ts";
import { federationTable } from "../../services/auth/src/federation/grpc.ts";
import { authTable } from "../../services/auth/src/grpc.ts";
import { organisationTable } from "../../services/auth/src/organisations/grpc.ts";
import { catalogTable } from "../../services/catalog/src/grpc.ts";
import { maintenanceTable } from "../../services/catalog/src/maintenance/grpc.ts";
import { storageTable } from "../../services/storage/src/grpc.ts";

/** Rows are closures over what they work with, of which nothing is looked at before a call. */
const nothing = {} as never;
const tables: readonly ServiceTable[] = [
  authTable(nothing),
  organisationTable(nothing),
  federationTable(nothing),
  auditTable(nothing),
  catalogTable(nothing, nothing),
  storageTable(nothing),
  analyticsTable(nothing),
  eventTable(nothing),
  maintenanceTable(nothing),
  changeTable(nothing),
  webhookTable(nothing),
];

/** What changes something that nobody answers for by name, each with why. */
const unaudited: Readonly<Record<string, string>> = {
  "AuthService/exchangeCredential": "changes nothing but when a token was last used",
  "AuthService/getRevocationEpoch": "a read",
  "FederationService/beginSignIn": "keeps nothing; the sign-in is told when it ends",
  "AuditService/recordAudit": "is the log",
  "AuditService/exportAudit": "a read, as a stream",
  "CatalogService/watchChanges": "a read, as a stream",
  "MaintenanceService/resendEvents": "a step of a replay, by analytics, which tells of it",
  "StorageService/uploadPackage": "stages bytes; what becomes of them is told by the publish",
  "StorageService/commitUpload": "a step of a publish, by the catalog",
  "StorageService/abortUpload": "drops what was staged",
  "StorageService/runPackageTests": "a step of a publish, by the catalog",
  "StorageService/readBlob": "a read, as a stream",
  "StorageService/readPackageFile": "a read, as a stream",
  "AnalyticsService/recordUsage": "counts",
  "ChangeService/watchHead": "a read, as a stream",
};

describe("the audit log", () => {
  it("is told of every RPC that changes something", () => {
    const silent = tables.flatMap(({ definition, rows }) =>
      Object.entries(definition.methods)
        .filter(
          ([method, { options }]) =>
            options.idempotencyLevel !== "NO_SIDE_EFFECTS" && rows[method]?.audit === undefined,
        )
        .map(([method]) => `${definition.name}/${method}`),
    );
    expect(silent.filter((rpc) => !(rpc in unaudited))).toEqual([]);
  });

  it("has no reason for an RPC that needs none", () => {
    const all = tables.flatMap(({ definition, rows }) =>
      Object.keys(definition.methods).map((method) => ({
        rpc: `${definition.name}/${method}`,
        audited: rows[method]?.audit !== undefined,
      })),
    );
    for (const rpc of Object.keys(unaudited)) expect(all).toContainEqual({ rpc, audited: false });
  });
});
