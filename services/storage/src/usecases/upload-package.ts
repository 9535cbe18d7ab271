import { join } from "node:path";
import type { Blobs } from "@registry/blobs";
import type { UploadPackageRequest } from "@registry/contracts/storage";
import { maySomewhere, permissionDenied } from "@registry/domain";
import type { CallContext, Clock, Ids } from "@registry/kit";
import type { Inspector } from "../inspector.ts";
import { stagingKey } from "../model/keys.ts";
import type { UploadedPackage } from "../model/upload.ts";
import type { Uploads } from "../store/uploads.ts";
import type { PerUser } from "../work/per-user.ts";
import { receivePackage } from "../work/receive.ts";
import type { Workspace } from "../work/workspace.ts";

interface Deps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly workspace: Workspace;
  readonly inspector: Inspector;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly perUser: PerUser;
  /** Whether some plugin's owner lets the caller publish to it. */
  readonly mayByRole: (context: CallContext) => Promise<boolean>;
  /** Bytes. */
  readonly maxBytes: number;
  readonly lifetimeMs: number;
  /** Told of the bytes of each package that has arrived. */
  readonly received: (bytes: number) => void;
}

/** Receives, measures, inspects and stages a package. What is refused, or given up by its caller, leaves nothing behind. */
export const uploadPackage =
  (deps: Deps) =>
  async (messages: AsyncIterable<UploadPackageRequest>, context: CallContext): Promise<UploadedPackage> => {
    const { caller, signal } = context;
    if (caller.type !== "user") throw permissionDenied();
    if (!maySomewhere(caller, "publish") && !(await deps.mayByRole(context))) throw permissionDenied();
    const waiting = (): Promise<number> => deps.uploads.countWaiting(caller.id, deps.clock.now());
    return await deps.perUser.run(caller.id, waiting, () => receive(deps, messages, caller.id, signal));
  };

function receive(
  deps: Deps,
  messages: AsyncIterable<UploadPackageRequest>,
  userId: number,
  signal: AbortSignal,
): Promise<UploadedPackage> {
  return deps.workspace.use(async (folder) => {
    const path = join(folder, "package");
    const { size, sha256 } = await receivePackage(messages, path, deps.maxBytes, signal);
    deps.received(size);
    const content = await deps.inspector.inspect({ path, size, folder }, signal);
    const createdAt = deps.clock.now();
    const upload: UploadedPackage = {
      id: deps.ids.unique(),
      sha256,
      size,
      content,
      uploadedBy: userId,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + deps.lifetimeMs),
    };
    await stage(deps, upload, path, signal);
    return upload;
  });
}

async function stage(deps: Deps, upload: UploadedPackage, path: string, signal: AbortSignal): Promise<void> {
  const key = stagingKey(upload.id);
  try {
    await deps.blobs.putFile(key, path, { size: upload.size, signal });
    signal.throwIfAborted();
    await deps.uploads.insert(upload);
    signal.throwIfAborted();
  } catch (error) {
    // A store that failed may have done its part all the same. What cannot be undone now expires.
    await Promise.allSettled([deps.blobs.delete(key), deps.uploads.remove(upload.id)]);
    throw error;
  }
}
