import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { OtlpTarget } from "../settings.ts";
import { Refused, type Sender } from "./sending.ts";

const method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** What OTLP has a sender try again. */
const again: ReadonlySet<status> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** Names that gRPC has for texts. */
const travels = /^(?!.*-bin$)[\w.-]+$/i;

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

/** OTLP over gRPC; `https` for TLS. */
export function caller({ url, headers }: OtlpTarget): Sender {
  const { protocol, host, port } = new URL(url);
  const tls = protocol === "https:";
  const metadata = new Metadata();
  for (const [name, value] of headers) if (travels.test(name)) metadata.set(name, value);
  const at = port === "" ? `${host}:${tls ? 443 : 80}` : host;
  const client = new Client(at, tls ? credentials.createSsl() : credentials.createInsecure());
  return {
    send: (body, signal) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
        const call = client.makeUnaryRequest(method, bytesAsTheyAre, bytesAsTheyAre, bytes, metadata, (error) => {
          signal.removeEventListener("abort", cancel);
          if (error === null) return resolve();
          const message = `The collector answered ${status[error.code]}: ${error.details}`;
          reject(again.has(error.code) ? new Error(message) : new Refused(message));
        });
        const cancel = (): void => call.cancel();
        if (signal.aborted) cancel();
        else signal.addEventListener("abort", cancel);
      }),
    close: () => client.close(),
  };
}
