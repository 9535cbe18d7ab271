import type { Calls } from "./pipeline.ts";
import type { MessageType, ServiceTable } from "./table.ts";
import { methodOf, type OutgoingMeta, type Transport } from "./transport.ts";

interface Codec {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromPartial(partial: unknown): unknown;
}

/** Copies a message as the wire would, so that neither side can reach into the other's objects. */
function copy(type: MessageType, partial: unknown): unknown {
  const codec = type as Codec;
  return codec.decode(codec.encode(codec.fromPartial(partial)).finish());
}

async function* copyAll(type: MessageType, messages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const message of messages) yield copy(type, message);
}

/** Calls a service that lives in this process: same table, policy, deadline and errors, no socket. */
export function createLocalTransport(table: ServiceTable, pipeline: Calls): Transport {
  const input = (name: string, request: unknown): unknown => {
    const method = methodOf(table.definition, name);
    return method.requestStream
      ? copyAll(method.requestType, request as AsyncIterable<unknown>)
      : copy(method.requestType, request);
  };
  return {
    async unary(name: string, request: unknown, meta: OutgoingMeta) {
      const answer = await pipeline.unary(table, name, input(name, request), meta);
      return copy(methodOf(table.definition, name).responseType, answer);
    },
    async *stream(name: string, request: unknown, meta: OutgoingMeta) {
      const answers = pipeline.stream(table, name, input(name, request), meta);
      yield* copyAll(methodOf(table.definition, name).responseType, answers);
    },
    close() {},
  };
}
