import type { ServerResponse } from "node:http";
import { Packing } from "@registry/contracts/storage";
import { baseName, type ClientKind, type PluginName } from "@registry/domain";
import type { Logger } from "@registry/kit";
import type { AnswerTimes } from "./answer-times.ts";
import type { BlobDescription, BlobRef, Blobs } from "./blobs.ts";
import { clientKind } from "./client-kind.ts";
import { rangeNotSatisfiable } from "./http-errors.ts";
import { type Container, fileName } from "./links.ts";
import { parseRange, rangeApplies, type Wanted } from "./ranges.ts";
import { matches } from "./ready.ts";
import { type Answer, type Call, taken } from "./route.ts";
import { savedPolicy } from "./security.ts";
import type { UsageSpool } from "./spool.ts";

/** A package that may be sent to whoever asked. */
export interface Package {
  readonly name: PluginName;
  readonly version: string;
  /** Of the original archive. */
  readonly sha256: string;
  readonly size?: number;
  /** The container in which it was uploaded. */
  readonly source: string;
  /** The container in which it is sent. */
  readonly container: Container;
  /** Everything under one folder, whatever the original looks like. */
  readonly folded?: boolean;
  /** Anybody may have it, so it may be kept ready. */
  readonly shared: boolean;
  readonly cacheControl: string;
  /** Whoever looks at what is hidden is no user of it, and counts would tell others of it. */
  readonly counted: boolean;
  /** Whose address this is, where it is not everybody's. */
  readonly route: ClientKind;
  readonly userId: number;
}

const types: { readonly [container in Container]: string } = { zip: "application/zip", "tar.gz": "application/gzip" };
/** A reader that takes nothing for so long has gone. */
const stallMs = 30_000;

/** Sends packages, whole or in part, and counts the whole ones. */
export class Downloads {
  readonly #blobs: Blobs;
  readonly #spool: UsageSpool;
  readonly #log: Logger;
  readonly #sent: (bytes: number) => void;
  readonly #times: AnswerTimes;

  constructor(blobs: Blobs, spool: UsageSpool, log: Logger, sent: (bytes: number) => void, times: AnswerTimes) {
    this.#blobs = blobs;
    this.#spool = spool;
    this.#log = log;
    this.#sent = sent;
    this.#times = times;
  }

  /** @throws RegistryError or HttpError 416, before anything was sent */
  async send(call: Call, wanted: Package): Promise<Answer> {
    const { headers: asked, method } = call.request;
    const ref = refOf(wanted);
    const description = await this.#blobs.describe(ref, call.context);
    const etag = `"${description.sha256}"`;
    const headers = headersOf(wanted, description, etag);
    if (matches(asked["if-none-match"], etag)) return { status: 304, headers, body: undefined };
    const ifRange = [asked["if-range"]].flat()[0];
    const part = rangeApplies(ifRange, etag) ? parseRange(asked.range, description.size) : parseRange(undefined, 0);
    if (part.type === "unsatisfiable") throw rangeNotSatisfiable(description.size);
    const { status, start, length } = extentOf(part, description.size);
    if (status === 206) headers["content-range"] = `bytes ${start}-${start + length - 1}/${description.size}`;
    headers["content-length"] = String(length);
    if (method === "HEAD") {
      beginStream(call, status, headers).end();
      return taken;
    }
    const count = (): void => {
      if (status === 200) this.#count(wanted, call);
    };
    const small = await this.#blobs.small(ref, description, call.context);
    if (small !== undefined) {
      count();
      const { name, version, route, shared } = wanted;
      const keep = { tags: [name], download: { plugin: name, version, route } };
      const body = small.subarray(start, start + length);
      this.#sent(body.length);
      return { status, headers, body, ...(shared && status === 200 ? { keep } : {}) };
    }
    await this.#stream(call, status, headers, this.#blobs.read(ref, start, length, call.context), length, count);
    return taken;
  }

  #count({ name, version, userId, route, counted }: Package, { request, context }: Call): void {
    if (!counted) return;
    const client = clientKind(route, request.headers["user-agent"]);
    this.#spool.download({ plugin: name, version, user_id: userId, client }, context.address);
  }

  async #stream(
    call: Call,
    status: number,
    headers: Record<string, string>,
    chunks: AsyncGenerator<Uint8Array>,
    length: number,
    count: () => void,
  ): Promise<void> {
    // The first bytes are there before anything is promised, so that a failure so far is still a clean answer.
    const first = await chunks.next();
    const response = beginStream(call, status, headers);
    try {
      let left = length;
      for (let next = first; next.done !== true; next = await chunks.next()) {
        left -= next.value.length;
        if (left === 0) count();
        if (!(await writeTo(response, next.value))) return;
        this.#sent(next.value.length);
      }
      response.end();
    } catch (error) {
      this.#log.warn({ err: error, request_id: call.context.requestId }, "a download broke off");
      if (!call.context.signal.aborted) this.#times.broke(call);
      response.destroy();
    } finally {
      await chunks.return(undefined);
    }
  }
}

function refOf({ sha256, size, source, container, folded, name }: Package): BlobRef {
  const isOriginal = container === source && folded !== true;
  const derived = container === "zip" ? Packing.PACKING_ZIP : Packing.PACKING_TAR_GZ;
  const packing = isOriginal ? Packing.PACKING_ORIGINAL : derived;
  const topFolder = packing === Packing.PACKING_TAR_GZ ? baseName(name) : "";
  return { sha256, packing, topFolder, ...(size === undefined ? {} : { size }) };
}

function headersOf(wanted: Package, { sha256, derived }: BlobDescription, etag: string): Record<string, string> {
  return {
    "content-type": types[wanted.container],
    "content-disposition": `attachment; filename="${fileName(wanted.name, wanted.version, wanted.container)}"`,
    "content-security-policy": savedPolicy,
    "cache-control": wanted.cacheControl,
    "accept-ranges": "bytes",
    // The same bytes for whoever may have them, so shared caches need to tell no more apart than pages of other origins.
    vary: "origin",
    etag,
    "x-checksum-sha256": sha256,
    "repr-digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
    ...(derived ? { "x-source-digest": `sha256:${wanted.sha256}` } : {}),
  };
}

function extentOf(
  part: Exclude<Wanted, { type: "unsatisfiable" }>,
  size: number,
): {
  status: 200 | 206;
  start: number;
  length: number;
} {
  return part.type === "all"
    ? { status: 200, start: 0, length: size }
    : { status: 206, start: part.start, length: part.end - part.start + 1 };
}

/** From here on the answer is written to the socket itself. */
export function beginStream({ reply }: Call, status: number, headers: Record<string, string>): ServerResponse {
  reply.hijack();
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers })) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  return reply.raw.writeHead(status);
}

/** @returns false where the reader has gone, or takes nothing any more */
export async function writeTo(response: ServerResponse, chunk: Uint8Array): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(chunk)) return true;
  return new Promise((resolve) => {
    const settle = (alive: boolean) => () => {
      clearTimeout(timer);
      response.off("drain", drained).off("close", closed);
      if (!alive) response.destroy();
      resolve(alive);
    };
    const drained = settle(true);
    const closed = settle(false);
    const timer = setTimeout(closed, stallMs);
    response.once("drain", drained).once("close", closed);
  });
}
