import { type ClientRequest, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { isIP, type LookupFunction, type TcpNetConnectOpts } from "node:net";
import { hostOf } from "../model/url.ts";
import { DeliveryFailure } from "./failure.ts";

/** Of an answer's body; it is of no use, but a receiver may not like to be cut off. */
const mostRead = 16 * 1024;
const mostHeaders = 16 * 1024;
/** For one address before the next is called. Node's quarter of a second is too short between continents. */
const longestReachMs = 3000;

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

export interface Way {
  /** Where to connect, and nowhere else: nothing is resolved again. */
  readonly addresses: readonly string[];
  readonly signal: AbortSignal;
  /** Of the whole attempt. */
  readonly timeoutMs: number;
  /** Authorities beside those of the system. */
  readonly ca: string | undefined;
}

/**
 * One request over a connection of its own: no redirects, no proxy, no cookies.
 * @throws DeliveryFailure, or the signal's reason
 */
export function post({ url, headers, body }: Post, way: Way): Promise<Answer> {
  const host = hostOf(url);
  const bytes = Buffer.from(body);
  const isTls = url.protocol === "https:";
  const request = (isTls ? requestTls : requestPlain)({
    ...{ host, port: url.port, path: url.pathname + url.search, method: "POST" },
    headers: { ...headers, host: url.host, "content-length": bytes.length },
    agent: false,
    lookup: fixed(way.addresses),
    ...reachOf(way),
    signal: way.signal,
    maxHeaderSize: mostHeaders,
    rejectUnauthorized: true,
    ...(isTls && isIP(host) === 0 ? { servername: host } : {}),
    ...(way.ca === undefined ? {} : { ca: way.ca }),
  });
  const answered = answerOf(request, isTls, way.signal);
  request.end(bytes);
  return answered;
}

/** Options of the connection. Whatever is silent, half of the time is left for the last of the addresses. */
function reachOf({ addresses, timeoutMs }: Way): Pick<TcpNetConnectOpts, "autoSelectFamilyAttemptTimeout"> {
  const share = Math.ceil(timeoutMs / 2 / addresses.length);
  return { autoSelectFamilyAttemptTimeout: Math.min(longestReachMs, share) };
}

function fixed(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? "", all[0]?.family ?? 0);
  };
}

function answerOf(request: ClientRequest, isTls: boolean, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let [connected, secured, answered] = [false, false, false];
    request.on("socket", (socket) => {
      socket.once("connect", () => {
        connected = true;
      });
      socket.once("secureConnect", () => {
        secured = true;
      });
    });
    request.on("error", () => {
      if (answered) return;
      if (signal.aborted) reject(signal.reason);
      else reject(new DeliveryFailure(isTls && connected && !secured ? "tls failed" : "connection failed"));
    });
    request.on("response", (response) => {
      const { statusCode: status = 0, headers } = response;
      let read = 0;
      answered = true;
      response.on("data", (chunk: Buffer) => {
        read += chunk.length;
        if (read >= mostRead) response.destroy();
      });
      // What it is is known, however it ends.
      response.on("error", () => undefined);
      response.on("close", () => resolve({ status, retryAfter: headers["retry-after"] }));
    });
    // Without somebody to take it over, Node ends such a connection and tells nobody.
    request.on("upgrade", ({ statusCode: status = 0 }, socket) => {
      answered = true;
      socket.destroy();
      resolve({ status, retryAfter: undefined });
    });
    // Of a promise that is settled this changes nothing; none may be left open by an end that was not thought of.
    request.on("close", () => {
      if (!answered) reject(new DeliveryFailure("connection failed"));
    });
  });
}
