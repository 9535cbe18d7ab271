import type { Readable } from "node:stream";
import type { Multipart } from "@fastify/multipart";
import type { StorageServiceDefinition, Upload, UploadPackageRequest } from "@registry/contracts/storage";
import { invalid, isRegistryError, quote, RegistryError } from "@registry/domain";
import type { CallOptions, ServiceClient } from "@registry/kit";
import type { FastifyRequest } from "fastify";
import { type FieldName, fieldNamed } from "./form-fields.ts";
import { packageTooLarge } from "./http-errors.ts";

/** What a publish request carried. */
export interface PublishForm {
  readonly upload: Upload;
  /** The manifest beside the package, as text; undefined where there is none. */
  readonly manifest: string | undefined;
  readonly fields: Readonly<Partial<Record<FieldName, string>>>;
}

const manifestBytes = 64 * 1024;
/** Larger messages carry more each second; see the contract for their bound. */
const chunkBytes = 256 * 1024;

export interface FormOptions {
  readonly storage: ServiceClient<typeof StorageServiceDefinition>;
  readonly call: CallOptions;
  readonly maxPackageBytes: number;
  /** Told of the upload as soon as there is one, so that it can be dropped whatever happens next. */
  readonly onUpload: (upload: Upload) => void;
}

/**
 * Reads a publish form part by part, in whatever order they come; the package goes straight on to storage and is never
 * held whole.
 * @throws RegistryError `unsupported_media`, `invalid_argument`, `too_large`, or what storage refused it with
 */
export async function readPublishForm(request: FastifyRequest, options: FormOptions): Promise<PublishForm> {
  if (!request.isMultipart()) {
    throw new RegistryError("unsupported_media", "NOT_MULTIPART", "Send the package as multipart/form-data");
  }
  const form: { upload?: Upload; manifest?: string; fields: Partial<Record<FieldName, string>> } = { fields: {} };
  try {
    for await (const part of request.parts()) await readPart(part, form, options);
  } catch (error) {
    throw isRegistryError(error) ? error : malformed(error);
  }
  const { upload, manifest, fields } = form;
  if (upload === undefined) {
    throw invalid("MISSING_PART", "package: the form has no part of this name; send the archive in it", "/package");
  }
  return { upload, manifest, fields };
}

function malformed(cause: unknown): RegistryError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.endsWith("_LIMIT")) {
    return new RegistryError("too_large", "TOO_MANY_PARTS", "The form has more parts than a publish needs");
  }
  return new RegistryError(
    "invalid_argument",
    "MALFORMED_MULTIPART",
    "The form is cut short or is not valid multipart",
    {
      cause,
    },
  );
}

async function readPart(
  part: Multipart,
  form: { upload?: Upload; manifest?: string; fields: Partial<Record<FieldName, string>> },
  options: FormOptions,
): Promise<void> {
  const { fieldname } = part;
  if (part.type === "field") {
    const name = fieldNamed(fieldname);
    if (name === undefined) return;
    if (typeof part.value !== "string" || part.valueTruncated || part.value.length > 256) {
      throw invalid("INVALID_FIELD", `${name}: is no text of at most 256 characters`, `/${name}`);
    }
    if (form.fields[name] !== undefined) throw twice(name);
    form.fields[name] = part.value;
  } else if (fieldname === "package") {
    if (form.upload !== undefined) throw twice("package");
    form.upload = await upload(part.file, form.fields.sha256 ?? "", options);
    options.onUpload(form.upload);
  } else if (fieldname === "manifest") {
    if (form.manifest !== undefined) throw twice("manifest");
    form.manifest = await readManifest(part.file);
  } else {
    throw invalid("UNKNOWN_PART", `${quote(fieldname)}: send no files but package and manifest`);
  }
}

function twice(name: string): RegistryError {
  return invalid("DUPLICATE_PART", `${name}: is given more than once; give it once`, `/${name}`);
}

async function readManifest(file: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > manifestBytes) {
      const message = "manifest: is larger than 64 KiB";
      throw new RegistryError("too_large", "MANIFEST_TOO_LARGE", message, {
        fields: [{ pointer: "/manifest", reason: message }],
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function upload(file: Readable, sha256: string, options: FormOptions): Promise<Upload> {
  const { storage, call, maxPackageBytes } = options;
  let failure: unknown;
  async function* messages(): AsyncGenerator<UploadPackageRequest> {
    yield { part: { $case: "header", value: { size: 0, sha256 } } };
    try {
      for await (const chunk of gather(file, maxPackageBytes)) yield { part: { $case: "chunk", value: chunk } };
    } catch (error) {
      failure = isRegistryError(error) ? error : malformed(error);
      throw failure;
    }
  }
  try {
    const { upload: received } = await storage.uploadPackage(messages(), call);
    if (received === undefined) throw new RegistryError("internal", "INTERNAL", "storage answered without an upload");
    return received;
  } catch (error) {
    // What broke on this side is the truth; over the wire it comes back as a call that was given up.
    throw failure ?? error;
  } finally {
    // A call that ended early leaves the rest of the part, which would hold up the parts behind it.
    file.resume();
  }
}

async function* gather(file: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  let total = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > maxBytes) throw packageTooLarge(maxBytes);
    held.push(chunk);
    size += chunk.length;
    if (size < chunkBytes) continue;
    yield Buffer.concat(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held);
}
