import { invalid } from "@registry/domain";
import type { MethodDefinition, ServiceDefinition } from "./table.ts";

/** Stands for bytes that are no message of the method, until there is a call to refuse. */
const unreadable: unknown = Object.freeze({});

function decodeOrMark(type: MethodDefinition["requestType"], bytes: Uint8Array): unknown {
  try {
    return type.decode(bytes);
  } catch {
    return unreadable;
  }
}

/**
 * The same service, whose request types never throw: a throw while decoding would be answered as a fault of the server.
 * What they decode has to be read by `readable`, within the call.
 */
export function decodingAll(definition: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(definition.methods).map(([name, method]) => {
    const { requestType } = method;
    const decode = (bytes: Uint8Array): unknown => decodeOrMark(requestType, bytes);
    return [name, { ...method, requestType: { ...requestType, decode } }] as const;
  });
  return { ...definition, methods: Object.fromEntries(methods) };
}

function check(message: unknown): unknown {
  if (message !== unreadable) return message;
  throw invalid("MALFORMED_MESSAGE", "The message is not what this method takes");
}

async function* checkAll(messages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const message of messages) yield check(message);
}

/**
 * The request, one message or a stream of them, as the method's contract has it.
 * @throws kind `invalid_argument`, reason `MALFORMED_MESSAGE`; of a stream while it is read
 */
export function readable(method: MethodDefinition, request: unknown): unknown {
  return method.requestStream ? checkAll(request as AsyncIterable<unknown>) : check(request);
}
