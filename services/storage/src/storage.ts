import { join } from "node:path";
import { deliverToAuth, openJournal } from "@registry/audit";
import type { Blobs } from "@registry/blobs";
import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import type { Documents } from "@registry/documents";
import { Gate, journaled, probe, type Service, type Surroundings } from "@registry/kit";
import { archiveLimits, type StorageConfig } from "./config.ts";
import type { AskReferenced } from "./garbage/blobs.ts";
import { Collector } from "./garbage/collector.ts";
import { Schedule } from "./garbage/schedule.ts";
import { storageTable } from "./grpc.ts";
import { Inspector } from "./inspector.ts";
import { ReadAccess } from "./model/access.ts";
import { storageBusy, tooManyUploads } from "./model/errors.ts";
import { Objects } from "./objects.ts";
import { PluginTests } from "./plugin-tests/plugin-tests.ts";
import { bringsTests } from "./plugin-tests/runners.ts";
import { BlobRecords } from "./store/blob-records.ts";
import { BlobTotals, countUploadBytes } from "./store/blob-totals.ts";
import { Contents } from "./store/contents.ts";
import { DerivedRecords } from "./store/derived-records.ts";
import { Uploads } from "./store/uploads.ts";
import { abortUpload } from "./usecases/abort-upload.ts";
import { commitUpload } from "./usecases/commit-upload.ts";
import { getUpload } from "./usecases/get-upload.ts";
import { presignBlob } from "./usecases/presign-blob.ts";
import { readBlob } from "./usecases/read-blob.ts";
import { readPackageFile } from "./usecases/read-package-file.ts";
import { runPackageTests } from "./usecases/run-package-tests.ts";
import { uploadPackage } from "./usecases/upload-package.ts";
import { PerUser } from "./work/per-user.ts";
import { Workspace } from "./work/workspace.ts";
import { WorkerPool } from "./workers/pool.ts";

export interface StorageDeps extends Surroundings {
  readonly documents: Documents;
  readonly blobs: Blobs;
  /** Local disk for packages in work; best on the file system of the embedded blobs, so that they are moved, not copied. */
  readonly workDirectory: string;
}

const catalogTimeoutMs = 30_000;

export async function createStorageService(config: StorageConfig, surroundings: StorageDeps): Promise<Service> {
  const { documents, blobs, clock, ids, keys, log, metrics, clients } = surroundings;
  const [uploads, records, contents, derivedRecords] = await Promise.all([
    Uploads.open(documents),
    BlobRecords.open(documents),
    Contents.open(documents),
    DerivedRecords.open(documents),
  ]);
  const journal = await openJournal({ documents, clock, log, deliver: deliverToAuth(clients) });
  const workspace = new Workspace(join(surroundings.workDirectory, "storage"), ids.unique);
  const pluginTests = config.PLUGIN_TESTS === "sandbox" ? await PluginTests.open(config, workspace, log) : undefined;
  const pool = new WorkerPool(config.INSPECTION_WORKERS);
  const inspector = new Inspector(pool, {
    limits: archiveLimits(config),
    timeoutMs: config.INSPECTION_SECONDS * 1000,
  });
  const gate = new Gate(config.INSPECTION_WORKERS * 2, config.INSPECTION_WORKERS * 32, storageBusy);
  const objects = new Objects({ clock, blobs, records, derivedRecords, inspector, workspace, gate });
  const access = new ReadAccess(keys, clock);

  const referenced: AskReferenced = async (digests, signal) => {
    const catalog = clients.of(CatalogServiceDefinition);
    const options = { as: "service", timeoutMs: catalogTimeoutMs, signal } as const;
    return new Set((await catalog.filterReferenced({ digests: [...digests] }, options)).referenced);
  };
  const uploadLifetimeMs = config.UPLOAD_LIFETIME_SECONDS * 1000;
  const collector = new Collector({
    ...{ clock, ids, log, blobs, uploads, records, contents, derivedRecords, referenced, uploadLifetimeMs },
    graceMs: config.GC_GRACE_SECONDS * 1000,
    confirmMs: config.GC_CONFIRM_SECONDS * 1000,
  });
  const schedule = new Schedule((signal) => collector.run(false, signal), config.GC_INTERVAL_SECONDS * 1000, log);

  const totals = new BlobTotals(records, metrics, log);
  const checks = async (): Promise<Record<string, boolean>> => {
    const [storage, database] = await Promise.all([probe(() => blobs.ping()), probe(() => documents.ping())]);
    return { storage, database };
  };
  const table = storageTable({
    uploadPackage: uploadPackage({
      ...{ clock, ids, workspace, inspector, blobs, uploads },
      perUser: new PerUser(config.LIMIT_UPLOADS_PER_USER, tooManyUploads),
      mayByRole: async (context) => (await clients.of(CatalogServiceDefinition).canPublish({}, { context })).allowed,
      maxBytes: config.LIMIT_PACKAGE_BYTES,
      lifetimeMs: uploadLifetimeMs,
      received: countUploadBytes(metrics),
    }),
    getUpload: getUpload({ clock, uploads }),
    commitUpload: commitUpload({ clock, blobs, uploads, records, contents }),
    abortUpload: abortUpload({ clock, blobs, uploads }),
    runPackageTests: runPackageTests({ objects, inspector, pluginTests }),
    needsTests: (files) => pluginTests !== undefined && bringsTests(files.map((file) => file.path)),
    readBlob: readBlob({ blobs, objects, access }),
    readPackageFile: readPackageFile({ objects, contents, inspector, workspace, access }),
    presignBlob: presignBlob({ clock, blobs, objects, access }),
    collector,
    checks,
  });

  return {
    name: "storage",
    tables: journaled([table], journal),
    async start() {
      await workspace.removeStale(clock.now());
      schedule.start();
      totals.start();
      journal.start();
    },
    checks,
    async close() {
      await schedule.close();
      await totals.close();
      await journal.close();
      await pluginTests?.close();
      await pool.close();
      await objects.settle();
    },
  };
}
