import type { Attributes, AttributeValue } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { scrub } from "../../scrub.ts";

const mostKnown = 2000;
const longestKnown = 100;
const longest = 1024;

/**
 * Takes secrets out of texts, then cuts what is too long, so that no part of a secret is left at the cut. Remembers what it
 * made of short ones: most of them come again and again.
 */
export function cleaner(secrets: readonly string[]): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const clean = scrub(text, secrets).slice(0, longest);
    if (text.length <= longestKnown) {
      if (known.size >= mostKnown) known.clear();
      known.set(text, clean);
    }
    return clean;
  };
}

type Clean = (text: string) => string;

function cleanValue(clean: Clean, value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value === "string") return clean(value);
  return Array.isArray(value) ? (value.map((item) => cleanValue(clean, item)) as AttributeValue) : value;
}

function cleanAttributes(clean: Clean, attributes: Attributes = {}): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, cleanValue(clean, value)]));
}

/** The span as it may leave the process. */
export function cleanSpan(clean: Clean, span: ReadableSpan): ReadableSpan {
  const { parentSpanContext, status } = span;
  return {
    name: clean(span.name),
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(parentSpanContext === undefined ? {} : { parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    status: status.message === undefined ? status : { ...status, message: clean(status.message) },
    attributes: cleanAttributes(clean, span.attributes),
    links: span.links.map((link) => ({ ...link, attributes: cleanAttributes(clean, link.attributes) })),
    events: span.events.map((event) => ({
      ...event,
      name: clean(event.name),
      attributes: cleanAttributes(clean, event.attributes),
    })),
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}
