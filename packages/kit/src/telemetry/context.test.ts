import fc from "fast-check";
import { expect, it } from "vitest";
import {
  activeTrace,
  activeTraceparent,
  formatTraceparent,
  inTrace,
  outsideTraces,
  parseTraceparent,
  type TraceContext,
} from "./context.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

it("reads back the trace context that it writes", () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.nat(255), (trace, span, flags) => {
      fc.pre(/[^0]/.test(trace) && /[^0]/.test(span));
      const context = { traceId: trace, spanId: span, flags };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }),
  );
});

it("takes what a later version of the standard may add", () => {
  expect(parseTraceparent(`01-${traceId}-${spanId}-01-more`)).toEqual({ traceId, spanId, flags: 1 });
});

it.each([
  ["nothing", undefined],
  ["two headers", `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
  ["a list", [`00-${traceId}-${spanId}-01`]],
  ["capital letters", `00-${traceId.toUpperCase()}-${spanId}-01`],
  ["no trace", `00-${"0".repeat(32)}-${spanId}-01`],
  ["no span", `00-${traceId}-${"0".repeat(16)}-01`],
  ["more than the version has", `00-${traceId}-${spanId}-01-more`],
  ["a forbidden version", `ff-${traceId}-${spanId}-01`],
  ["a line's end", `00-${traceId}-${spanId}-01\n`],
  ["too much", `01-${traceId}-${spanId}-01-${"x".repeat(300)}`],
])("passes over %s", (_what, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

it("never trips over what a stranger sends", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.anything()), (text) => {
      const parsed = parseTraceparent(text);
      if (parsed !== undefined) expect(formatTraceparent(parsed)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
    }),
  );
});

it("knows for whom code runs, until that has ended", async () => {
  const span: { -readonly [K in keyof TraceContext]: TraceContext[K] } = { traceId, spanId, flags: 1 };
  expect(activeTrace()).toBeUndefined();
  const goesOn = Promise.withResolvers<void>();
  const later = inTrace(span, async () => {
    expect(activeTraceparent()).toBe(`00-${traceId}-${spanId}-01`);
    expect(outsideTraces(activeTrace)).toBeUndefined();
    await goesOn.promise;
    return activeTrace();
  });
  expect(activeTrace()).toBeUndefined();
  span.ended = true;
  goesOn.resolve();
  expect(await later).toBeUndefined();
});
