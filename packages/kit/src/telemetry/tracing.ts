import type { ErrorKind } from "@registry/domain";
import { inTrace, type TraceContext } from "./context.ts";

export type SpanKind = "server" | "client" | "producer" | "consumer";
export type SpanAttributes = { readonly [name: string]: string | number | boolean };

export interface SpanStart {
  /** Few different ones: what is done and to what kind of thing, never to which. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: SpanAttributes;
  /** What it is a part of; by default the active trace. */
  readonly parent?: TraceContext | undefined;
  /** Begins a trace of its own where it is a part of none. By default nothing is recorded then: work that nobody asked for. */
  readonly root?: boolean;
}

/** Work under way. Whatever it is told leaves the process without anything that looks like a secret. */
export interface Span extends TraceContext {
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /**
   * Marks it as failed: with the error's type and message, or with a word for what went wrong. The texts of refusals, which
   * quote what was asked for, are left out.
   */
  fail(error: unknown): void;
  /** Once; later calls are passed over. */
  end(): void;
}

/** Failures of the server; whatever else a call ends with is its caller's affair. */
export const serverFaults: ReadonlySet<ErrorKind> = new Set([
  "internal",
  "unavailable",
  "deadline_exceeded",
  "unimplemented",
]);

/** Where spans are begun. */
export interface Tracing {
  /** False: `begin` never does. */
  readonly on: boolean;
  begin(start: SpanStart): Span | undefined;
  /** Sends what is still to be sent, for five seconds at most. Never throws. */
  close(): Promise<void>;
}

export const noTracing: Tracing = { on: false, begin: () => undefined, close: async () => undefined };

/** Runs the work in a span of its own. Where none is recorded, what it does is still told as part of the given parent. */
export async function traced<T>(
  tracing: Tracing,
  start: SpanStart,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const span = tracing.begin(start);
  if (span === undefined) return inTrace(start.parent, () => work(undefined));
  return inTrace(span, async () => {
    try {
      return await work(span);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  });
}
