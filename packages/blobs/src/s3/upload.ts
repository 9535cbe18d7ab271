import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { abortable } from "../abortable.ts";
import type { PutOptions } from "../port.ts";
import { sizeMismatch } from "../rules.ts";
import type { Connection } from "./connection.ts";
import { s3Code, translate } from "./errors.ts";

export interface Upload {
  readonly key: string;
  readonly source: Readable;
  readonly options: PutOptions;
  /** Whether the server is asked to refuse where the key is taken. */
  readonly createOnly: boolean;
}

export type Uploaded =
  | "created"
  | "refused"
  | {
      readonly failure: Error;
      /** False where the store's answer was lost: it may have the object or not. */
      readonly answered: boolean;
    };

/**
 * One plain PUT of known length. The server keeps nothing unless all its bytes came, and the last of them are held back
 * until the source has ended well: from then on nothing but the store can make it fail.
 * @returns "refused" where the key was taken meanwhile; the failure where the store is to blame
 * @throws the source's own error, kind `invalid_argument` reason `SIZE_MISMATCH`, kind `cancelled`
 */
export async function upload(connection: Connection, { key, source, options, createOnly }: Upload): Promise<Uploaded> {
  const state: FeedState = { ended: false };
  const body = Readable.from(feed(abortable(source, options.signal), options.size, state), { objectMode: false });
  const client = connection.client({ waitsForUs: () => !state.ended && body.readableLength === 0 });
  const headers: Record<string, string | number> = { "content-length": options.size };
  if (options.contentType !== undefined) headers["content-type"] = options.contentType;
  if (createOnly) headers["if-none-match"] = "*";
  try {
    const response = await client.makeRequestStreamAsync(
      { method: "PUT", bucketName: connection.bucket, objectName: key, headers },
      body,
      "",
      [200],
      connection.region,
    );
    await finished(response.resume());
    return "created";
  } catch (error) {
    if (state.failure !== undefined) throw state.failure.error;
    const code = s3Code(error);
    if (code === "PreconditionFailed" || code === "ConditionalRequestConflict") return "refused";
    return { failure: translate(error), answered: code !== undefined };
  } finally {
    body.destroy();
  }
}

interface FeedState {
  /** The source has given all it was to give. */
  ended: boolean;
  /** Why the source failed; the request's own error is then only a consequence. */
  failure?: { readonly error: unknown };
}

async function* feed(source: Readable, size: number, state: FeedState): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let seen = 0;
  const next = async (): Promise<Uint8Array | undefined> => {
    // Only here: what the request's failure throws into this generator is none of the source's.
    try {
      const bytes = await nextBytes(chunks);
      seen += bytes?.length ?? 0;
      if (bytes === undefined ? seen < size : seen > size) throw sizeMismatch(size, seen);
      return bytes;
    } catch (error) {
      state.failure = { error };
      throw error;
    }
  };
  let held = await next();
  while (held !== undefined) {
    const following = await next();
    state.ended = following === undefined;
    yield held;
    held = following;
  }
  state.ended = true;
}

async function nextBytes(chunks: AsyncIterator<unknown>): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return undefined;
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    if (!(bytes instanceof Uint8Array)) throw new TypeError("A blob's source gives bytes");
    if (bytes.length > 0) return bytes;
  }
}
