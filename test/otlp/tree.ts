import type { ReceivedSpan } from "./receiver.ts";

function told({ kind, name }: ReceivedSpan): string {
  return `${kind.toLowerCase()} ${name}`;
}

/** `child < parent` for each span, in words; the parent of a root is `nobody`, one that was not received `somebody else`. */
export function edgesOf(spans: readonly ReceivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans.map((span) => {
    const parent = byId.get(span.parentSpanId);
    const above = parent === undefined ? (span.parentSpanId === "" ? "nobody" : "somebody else") : told(parent);
    return `${told(span)} < ${above}`;
  });
}

/** One line for each span, indented under its parent: what a failed test shows. */
export function drawTrace(spans: readonly ReceivedSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | undefined, depth: number): string[] =>
    spans
      .filter((span) => (parent === undefined ? !ids.has(span.parentSpanId) : span.parentSpanId === parent))
      .flatMap((span) => {
        const where = `${"  ".repeat(depth)}${told(span)} [${String(span.resource["service.name"])}]`;
        return [where, ...below(span.spanId, depth + 1)];
      });
  return below(undefined, 0).join("\n");
}
