import { AsyncLocalStorage } from "node:async_hooks";

/** A span as others refer to it: one under way here, or one of whoever called. */
export interface TraceContext {
  /** 32 of `0-9a-f`. */
  readonly traceId: string;
  /** 16 of `0-9a-f`. */
  readonly spanId: string;
  /** Flags of W3C trace context; the lowest bit says that the trace is recorded. */
  readonly flags: number;
  /** True once the span has ended: what goes on after it is no part of it. */
  readonly ended?: boolean;
}

const current = new AsyncLocalStorage<TraceContext | undefined>();

/** What the code that asks is running for, if that is traced and still under way. */
export function activeTrace(): TraceContext | undefined {
  const trace = current.getStore();
  return trace?.ended === true ? undefined : trace;
}

/** Runs the work, and whatever it waits for, as part of the trace. */
export function inTrace<T>(trace: TraceContext | undefined, work: () => T): T {
  return trace === undefined ? work() : current.run(trace, work);
}

/** Runs the work as part of no trace: for what is set off by a request but serves no one request. */
export function outsideTraces<T>(work: () => T): T {
  return current.run(undefined, work);
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?$/;
const longest = 256;

/** Reads a W3C `traceparent`; undefined for one that is malformed, which the standard wants to be passed over. */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  if (typeof text !== "string" || text.length > longest) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = pattern.exec(text) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** As a W3C `traceparent`. */
export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}

/** The `traceparent` to send along, if what sends is traced. */
export function activeTraceparent(): string | undefined {
  const trace = activeTrace();
  return trace === undefined ? undefined : formatTraceparent(trace);
}
