import { checkManifestPart } from "@registry/archive";
import type { PublishReleaseResponse } from "@registry/contracts/catalog";
import type { Upload } from "@registry/contracts/storage";
import {
  formats,
  invalid,
  maySomewhere,
  parseDigest,
  permissionDenied,
  RegistryError,
  unauthenticated,
  visibilities,
} from "@registry/domain";
import { Gate } from "@registry/kit";
import { z } from "zod";
import { isDryRun } from "../form-fields.ts";
import { flagParameter } from "../input.ts";
import { type PublishForm, readPublishForm } from "../multipart.ts";
import type { Parts } from "../parts.ts";
import { published, tried } from "../published.ts";
import { type Answer, type Call, defineRoute, type Route } from "../route.ts";
import { publishedSchema, triedSchema } from "../schemas.ts";
import { wireVisibility } from "../words.ts";

const uploadMs = 60_000;
/** A request that waits is a socket whose body nobody reads yet, so many may. */
const waitingPerUpload = 16;
const longestWaitMs = 20_000;

const tooManyUploads = (): RegistryError =>
  new RegistryError(
    "rate_limited",
    "TOO_MANY_UPLOADS",
    "Too many packages come in at once; try again in some seconds",
    {
      retryAfterSeconds: 5,
    },
  );

/** A misspelt parameter would be lost, and what is published cannot be taken back. */
const publishQuery = z.strictObject({
  dry_run: flagParameter().describe("Check everything and say what would come of it, but keep nothing"),
});
type PublishCall = Call<z.output<typeof publishQuery>>;

/** Roles that owners give on their plugins are known to the catalog. */
async function mayByRole({ catalog }: Parts, { context }: PublishCall): Promise<boolean> {
  return (await catalog.canPublish({}, { context })).allowed;
}

/** Publish, under both of its spellings. */
export function publishRoutes(parts: Parts): Route[] {
  const uploads = parts.config.LIMIT_CONCURRENT_UPLOADS;
  const gate = new Gate(uploads, uploads * waitingPerUpload, tooManyUploads);
  const publishOne = async (call: PublishCall): Promise<Answer> => {
    if (call.caller.type === "anonymous") throw unauthenticated();
    if (!maySomewhere(call.caller, "publish") && !(await mayByRole(parts, call))) throw permissionDenied();
    const patience = AbortSignal.any([call.context.signal, AbortSignal.timeout(longestWaitMs)]);
    return await gate.run(patience, () => publish(parts, call));
  };
  return ["/api/v1/plugins", "/api/v1/plugins/publish"].map((url) =>
    defineRoute({
      method: "POST",
      url,
      tag: "plugins",
      summary:
        "Publish a package: multipart with a part `package`, and optionally `manifest`, `name`, `version`, `visibility`, `channel`, `sha256`, `dry_run`",
      access: "users",
      query: publishQuery,
      body: "form",
      deadlineMs: uploadMs,
      answers: {
        200: {
          description: "The same bytes were published before; with `dry_run`: what would come of it",
          schema: z.union([publishedSchema, triedSchema]),
        },
        201: { description: "Published", schema: publishedSchema },
        202: {
          description:
            "Taken, and shown once what it waits for is there: its tests have passed, a reviewer agreed, or both",
          schema: publishedSchema,
        },
      },
      handle: publishOne,
    }),
  );
}

async function publish(parts: Parts, call: PublishCall): Promise<Answer> {
  let upload: Upload | undefined;
  let kept = false;
  try {
    const form = await readPublishForm(call.request, {
      storage: parts.storage,
      // It may have waited for its turn.
      call: { context: await call.renewed(), timeoutMs: uploadMs },
      maxPackageBytes: parts.config.LIMIT_PACKAGE_BYTES,
      onUpload: (received) => {
        upload = received;
      },
    });
    const dryRun = isDryRun(call.query.dry_run, form.fields.dry_run);
    const answer = await submit(parts, call, form, dryRun);
    if (dryRun) return tried(parts, call, answer);
    kept = true;
    return published(parts, call, answer);
  } finally {
    if (upload !== undefined && !kept) await abort(parts, upload.id, call.context.requestId);
  }
}

async function submit(parts: Parts, call: Call, form: PublishForm, dryRun: boolean): Promise<PublishReleaseResponse> {
  const format = formats.find((known) => known === form.upload.format);
  const said = form.manifest === undefined ? {} : checkManifestPart(form.manifest, format);
  const { name, version, visibility, channel, owner, team, sha256 } = form.fields;
  if (sha256 !== undefined && parseDigest(sha256) !== form.upload.sha256) throw otherDigest();
  // Once the bytes are here the publish runs to its end, whether or not the client still listens.
  const { signal: _signal, ...context } = await call.renewed();
  return await parts.catalog.publishRelease(
    {
      uploadId: form.upload.id,
      expectedName: name ?? said.name ?? "",
      expectedVersion: version ?? said.version ?? "",
      ...(visibility === undefined ? {} : { visibility: wireVisibility(readVisibility(visibility)) }),
      channel: channel ?? "",
      owner: owner ?? "",
      team: team ?? "",
      dryRun,
    },
    { context: { ...context, signal: new AbortController().signal }, timeoutMs: uploadMs },
  );
}

function otherDigest(): RegistryError {
  const message = "sha256: the package that arrived has another digest; send it again";
  return new RegistryError("invalid_argument", "DIGEST_MISMATCH", message, {
    fields: [{ pointer: "/sha256", reason: message }],
  });
}

function readVisibility(text: string): (typeof visibilities)[number] {
  const found = visibilities.find((word) => word === text);
  if (found === undefined) {
    throw invalid("INVALID_FIELD", `visibility: expected one of ${visibilities.join(", ")}`, "/visibility");
  }
  return found;
}

/** Leaves nothing behind; where it fails, storage drops the upload within the hour. */
async function abort(parts: Parts, uploadId: string, requestId: string): Promise<void> {
  try {
    await parts.storage.abortUpload({ uploadId }, { as: "service", timeoutMs: 5000 });
  } catch (error) {
    parts.log.warn({ err: error, request_id: requestId }, "an upload that came to nothing could not be dropped");
  }
}
