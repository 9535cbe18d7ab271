import { attribute, ownAttribute } from "./attributes.ts";
import { formatTraceparent, parseTraceparent } from "./context.ts";
import { type SpanStart, type Tracing, traced } from "./tracing.ts";

/** Runs one call to a store. */
export type AroundCall<C> = <R>(call: C, run: () => Promise<R>) => Promise<R>;

/** Calls to a document store as spans, without what they ask for. */
export function documentSpans(
  tracing: Tracing,
  store: { readonly system: "mongodb" | "sqlite"; readonly database: string },
): AroundCall<{ readonly operation: string; readonly collection: string }> {
  const common = { [attribute.databaseSystem]: store.system, [attribute.database]: store.database };
  return ({ operation, collection }, run) => {
    const own = { [attribute.databaseOperation]: operation, [attribute.collection]: collection };
    return traced(tracing, client(`${operation} ${collection}`, { ...common, ...own }), run);
  };
}

/** Calls to a blob store as spans: of keys, which hold ids, no more than the first part. */
export function blobSpans(
  tracing: Tracing,
  store: "files" | "s3",
): AroundCall<{ readonly operation: string; readonly key: string; readonly size?: number }> {
  return ({ operation, key, size }, run) => {
    const folder = key.split("/", 1)[0] ?? "";
    const attributes = {
      [ownAttribute.blobStore]: store,
      [ownAttribute.blobOperation]: operation,
      [ownAttribute.blobFolder]: folder,
      ...(size === undefined ? {} : { [ownAttribute.blobSize]: size }),
    };
    return traced(tracing, client(`${operation} ${folder}`, attributes), run);
  };
}

function client(name: string, attributes: SpanStart["attributes"] = {}): SpanStart {
  return { name, kind: "client", attributes };
}

/** The part of an event that its spans tell. */
interface TracedEvent {
  readonly id: string;
  readonly subject: string;
  readonly traceparent?: string;
}

/** Events on their way, and those who take them, as spans of the trace in which the event was made. */
export function eventSpans(tracing: Tracing, system: "nats" | "in-process") {
  const start = ({ id, subject, traceparent }: TracedEvent, operation: "publish" | "process"): SpanStart => ({
    name: `${operation} ${subject}`,
    kind: operation === "publish" ? "producer" : "consumer",
    attributes: {
      [attribute.messagingSystem]: system,
      [attribute.messagingOperation]: operation,
      [attribute.messagingOperationType]: operation === "publish" ? "send" : "process",
      [attribute.destination]: subject,
      [attribute.messageId]: id,
    },
    parent: parseTraceparent(traceparent),
  });
  return {
    publish: <E extends TracedEvent>(event: E, send: (event: E) => Promise<void>): Promise<void> =>
      traced(tracing, start(event, "publish"), (span) =>
        send(span === undefined ? event : { ...event, traceparent: formatTraceparent(span) }),
      ),
    handle: (event: TracedEvent, group: string, attempt: number, run: () => Promise<void>): Promise<void> => {
      const begin = start(event, "process");
      const more = { [attribute.consumerGroup]: group, [ownAttribute.attempt]: attempt };
      return traced(tracing, { ...begin, attributes: { ...begin.attributes, ...more } }, run);
    },
    /** What a tap sets off serves all that it hears of, so it is no part of the event's trace. */
    hear(event: TracedEvent, run: () => void): void {
      const span = tracing.begin(start(event, "process"));
      try {
        run();
      } catch (error) {
        span?.fail(error);
        throw error;
      } finally {
        span?.end();
      }
    },
  };
}
