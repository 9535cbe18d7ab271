import { checkManifestPart } from "@registry/archive";
import { ReleaseState } from "@registry/contracts/catalog";
import type { Upload } from "@registry/contracts/storage";
import {
  invalid,
  isPluginName,
  maySomewhere,
  parseDigest,
  permissionDenied,
  RegistryError,
  unauthenticated,
  visibilities,
} from "@registry/domain";
import { Gate } from "@registry/kit";
import { readPublishForm } from "../multipart.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, type Route } from "../route.ts";
import { publishedSchema } from "../schemas.ts";
import { stateWord, visibilityWord, wireVisibility } from "../words.ts";

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

/** Publish, under both of its spellings. */
export function publishRoutes(parts: Parts): Route[] {
  const uploads = parts.config.LIMIT_CONCURRENT_UPLOADS;
  const gate = new Gate(uploads, uploads * waitingPerUpload, tooManyUploads);
  const publishOne = async (call: Call): Promise<Answer> => {
    if (call.caller.type === "anonymous") throw unauthenticated();
    if (!maySomewhere(call.caller, "publish")) throw permissionDenied();
    const patience = AbortSignal.any([call.context.signal, AbortSignal.timeout(longestWaitMs)]);
    return await gate.run(patience, () => publish(parts, call));
  };
  return ["/api/v1/plugins", "/api/v1/plugins/publish"].map((url) =>
    defineRoute({
      method: "POST",
      url,
      tag: "plugins",
      summary:
        "Publish a package: multipart with a part `package`, and optionally `manifest`, `version`, `visibility`, `channel`, `sha256`",
      access: "users",
      body: "form",
      deadlineMs: uploadMs,
      answers: {
        200: { description: "The same bytes were published before", schema: publishedSchema },
        201: { description: "Published", schema: publishedSchema },
        202: { description: "Taken, and shown once its checks have passed", schema: publishedSchema },
      },
      handle: publishOne,
    }),
  );
}

async function publish(parts: Parts, call: Call): Promise<Answer> {
  let upload: Upload | undefined;
  try {
    const form = await readPublishForm(call.request, {
      storage: parts.storage,
      call: { context: call.context, timeoutMs: uploadMs },
      maxPackageBytes: parts.config.LIMIT_PACKAGE_BYTES,
      onUpload: (received) => {
        upload = received;
      },
    });
    const said = form.manifest === undefined ? {} : checkManifestPart(form.manifest);
    const { version, visibility, channel, sha256 } = form.fields;
    if (sha256 !== undefined && parseDigest(sha256) !== form.upload.sha256) throw otherDigest();
    // Once the bytes are here the publish runs to its end, whether or not the client still listens.
    const { signal: _signal, ...context } = call.context;
    const answer = await parts.catalog.publishRelease(
      {
        uploadId: form.upload.id,
        expectedName: said.name ?? "",
        expectedVersion: version ?? said.version ?? "",
        ...(visibility === undefined ? {} : { visibility: wireVisibility(readVisibility(visibility)) }),
        channel: channel ?? "",
      },
      { context: { ...context, signal: new AbortController().signal }, timeoutMs: uploadMs },
    );
    return published(parts, call, answer);
  } catch (error) {
    if (upload !== undefined) await abort(parts, upload.id, call.context.requestId);
    throw error;
  }
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
    parts.log.warn({ err: error, requestId }, "an upload that came to nothing could not be dropped");
  }
}

function published(
  parts: Parts,
  call: Call,
  { plugin, release, created }: Awaited<ReturnType<Parts["catalog"]["publishRelease"]>>,
): Answer {
  if (plugin === undefined || release === undefined || !isPluginName(plugin.name)) {
    throw new TypeError("the catalog answered without a release");
  }
  parts.changed(plugin.name);
  const { version, sha256, size, container } = release;
  const visibility = visibilityWord(plugin.visibility);
  const url = `${call.origin}/api/v1/plugins/${plugin.name}/versions/${version}`;
  const staged = release.state === ReleaseState.RELEASE_STATE_STAGED;
  const target = { name: plugin.name, version, sha256, container, visibility };
  return json(
    {
      success: true,
      plugin: plugin.name,
      version,
      sha256,
      size,
      state: stateWord(release.state),
      url,
      package_url: parts.links.package(call.origin, plugin.name, version, container),
      download_url: parts.links.download(call.origin, target, call.caller),
    },
    { status: staged ? 202 : created ? 201 : 200, headers: { location: url } },
  );
}
