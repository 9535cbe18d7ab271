import { StorageServiceDefinition } from "@registry/contracts/storage";
import {
  admins,
  anyOf,
  anyone,
  defineService,
  type Service,
  type ServiceTable,
  scopedFor,
  services,
  users,
} from "@registry/kit";
import type { Collector } from "./garbage/collector.ts";
import type { UploadedPackage } from "./model/upload.ts";
import type { abortUpload } from "./usecases/abort-upload.ts";
import type { commitUpload } from "./usecases/commit-upload.ts";
import type { getUpload } from "./usecases/get-upload.ts";
import type { presignBlob } from "./usecases/presign-blob.ts";
import type { readBlob } from "./usecases/read-blob.ts";
import type { readPackageFile } from "./usecases/read-package-file.ts";
import type { runPackageTests } from "./usecases/run-package-tests.ts";
import type { uploadPackage } from "./usecases/upload-package.ts";
import { type NeedsTests, toTestsResponse, toUpload } from "./wire.ts";

export interface UseCases {
  readonly uploadPackage: ReturnType<typeof uploadPackage>;
  readonly getUpload: ReturnType<typeof getUpload>;
  readonly commitUpload: ReturnType<typeof commitUpload>;
  readonly abortUpload: ReturnType<typeof abortUpload>;
  readonly readBlob: ReturnType<typeof readBlob>;
  readonly readPackageFile: ReturnType<typeof readPackageFile>;
  readonly runPackageTests: ReturnType<typeof runPackageTests>;
  readonly needsTests: NeedsTests;
  readonly presignBlob: ReturnType<typeof presignBlob>;
  readonly collector: Collector;
  readonly checks: Service["checks"];
}

const minute = 60_000;

/** Reading is open to whoever holds a ticket, which is checked where the digest is known. */
export function storageTable(usecases: UseCases): ServiceTable {
  const wire = (upload: UploadedPackage) => toUpload(upload, usecases.needsTests);
  return defineService(StorageServiceDefinition, {
    uploadPackage: {
      // Beyond that it takes a right, or a role that some plugin's owner gave, which the catalog knows.
      allow: scopedFor("publish"),
      maxDurationMs: 10 * minute,
      handle: async (messages, context) => ({ upload: wire(await usecases.uploadPackage(messages, context)) }),
    },
    getUpload: {
      allow: anyOf(users, services("catalog")),
      handle: async ({ uploadId }, { caller }) => ({ upload: wire(await usecases.getUpload(uploadId, caller)) }),
    },
    commitUpload: {
      allow: services("catalog"),
      handle: async ({ uploadId }) => ({ sha256: await usecases.commitUpload(uploadId) }),
    },
    abortUpload: {
      allow: anyOf(users, services("catalog", "gateway")),
      handle: async ({ uploadId }, { caller }) => {
        await usecases.abortUpload(uploadId, caller);
        return {};
      },
    },
    runPackageTests: {
      allow: services("catalog"),
      // The longest that tests may take, and as much for the wait.
      maxDurationMs: 20 * minute,
      handle: async ({ sha256 }, context) => toTestsResponse(await usecases.runPackageTests(sha256, context)),
    },
    readBlob: { allow: anyone, maxDurationMs: 15 * minute, handle: usecases.readBlob },
    readPackageFile: { allow: anyone, maxDurationMs: 5 * minute, handle: usecases.readPackageFile },
    presignBlob: { allow: anyone, handle: usecases.presignBlob },
    collectGarbage: {
      allow: admins,
      maxDurationMs: 60 * minute,
      audit: () => ({ action: "storage.collect" }),
      handle: async ({ dryRun }, { signal, audit }) => {
        const tally = await usecases.collector.run(dryRun, signal);
        audit({ after: tally, unchanged: dryRun });
        return tally;
      },
    },
    check: { allow: services("gateway"), handle: async () => ({ checks: await usecases.checks() }) },
  });
}
