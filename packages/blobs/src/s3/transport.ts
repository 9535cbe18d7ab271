import http from "node:http";
import https from "node:https";
import { unavailable } from "@registry/domain";
import type { ClientOptions } from "minio";

export interface Transfer {
  /** Ends the request, whatever it waits for. */
  readonly signal?: AbortSignal;
  /** Silence on the connection, in milliseconds, after which it counts as dead. */
  readonly idleMs: number;
  /** True while the silence is not the store's: bytes to send are not there yet, or received ones are not taken. */
  readonly waitsForUs?: () => boolean;
}

/** Answers that the client throws away unread; a connection whose answer nobody reads is never free again. */
const unread = new Set([408, 429, 499, 500, 502, 503, 504, 520]);

/** How one call of the S3 client reaches the network: with its deadline, and never on a connection that went silent. */
export function transport(secure: boolean, transfer: Transfer): NonNullable<ClientOptions["transport"]> {
  const base = secure ? https : http;
  return {
    request(...parameters: unknown[]): http.ClientRequest {
      const [options, onResponse] = parameters;
      if (!isOptions(options) || !isListener(onResponse)) {
        throw new TypeError("The S3 client calls request(options, onResponse)");
      }
      const { signal, idleMs } = transfer;
      const request = base.request({ ...options, timeout: idleMs, ...(signal && { signal }) }, (response) => {
        onResponse(response);
        if (unread.has(response.statusCode ?? 0)) response.resume();
      });
      request.on("timeout", () => {
        if (transfer.waitsForUs?.()) request.setTimeout(idleMs);
        else request.destroy(unavailable("The blob store", new Error(`Silent for ${idleMs} ms`)));
      });
      return request;
    },
  };
}

const isOptions = (value: unknown): value is http.RequestOptions =>
  typeof value === "object" && value !== null && !(value instanceof URL);

const isListener = (value: unknown): value is (response: http.IncomingMessage) => void => typeof value === "function";
