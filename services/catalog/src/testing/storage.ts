import { createHash } from "node:crypto";
import {
  type DeepPartial,
  type RunPackageTestsResponse,
  StorageServiceDefinition,
  Upload,
} from "@registry/contracts/storage";
import { notFound, RegistryError } from "@registry/domain";
import { anyone, defineService, type ServiceTable, services } from "@registry/kit";

type Method = "getUpload" | "commitUpload" | "abortUpload";

/** The neighbour that keeps bytes, as far as the catalog meets it: uploads come and go, blobs stay. */
export class StandInStorage {
  readonly uploads = new Map<string, Upload>();
  readonly blobs = new Set<string>();
  /** May throw, or wait, before the method does anything. */
  before: (method: Method, uploadId: string) => void | Promise<void> = () => {};
  /** What the tests of a package come to. */
  tests: (sha256: string) => Promise<DeepPartial<RunPackageTestsResponse>> = () => Promise.reject(unimplemented());
  #count = 0;

  add(uploadedBy: number, upload: Partial<Upload>, content: string): string {
    const id = `upload-${++this.#count}`;
    const sha256 = createHash("sha256").update(content).digest("hex");
    const base = { size: content.length, container: "zip", format: "agenticraft", kind: "tool" };
    this.uploads.set(id, Upload.fromPartial({ ...base, ...upload, id, sha256, uploadedBy }));
    return id;
  }

  table(): ServiceTable {
    const unused = { allow: anyone, handle: () => Promise.reject(unimplemented()) };
    const unusedStream = { allow: anyone, handle: failing };
    return defineService(StorageServiceDefinition, {
      getUpload: {
        allow: services("catalog"),
        handle: async ({ uploadId }) => {
          await this.before("getUpload", uploadId);
          return { upload: this.#find(uploadId) };
        },
      },
      commitUpload: {
        allow: services("catalog"),
        handle: async ({ uploadId }) => {
          await this.before("commitUpload", uploadId);
          const { sha256 } = this.#find(uploadId);
          this.blobs.add(sha256);
          return { sha256 };
        },
      },
      abortUpload: {
        allow: services("catalog"),
        handle: async ({ uploadId }) => {
          await this.before("abortUpload", uploadId);
          this.uploads.delete(uploadId);
          return {};
        },
      },
      runPackageTests: {
        allow: services("catalog"),
        handle: async ({ sha256 }) => this.tests(sha256),
      },
      uploadPackage: unused,
      presignBlob: unused,
      collectGarbage: unused,
      check: unused,
      readBlob: unusedStream,
      readPackageFile: unusedStream,
    });
  }

  #find(id: string): Upload {
    const upload = this.uploads.get(id);
    if (upload === undefined) throw notFound("UPLOAD_NOT_FOUND", "Upload not found");
    return upload;
  }
}

const unimplemented = (): RegistryError => new RegistryError("unimplemented", "UNIMPLEMENTED", "Not part of this test");

async function* failing(): AsyncGenerator<never> {
  yield Promise.reject(unimplemented()) as never;
}
