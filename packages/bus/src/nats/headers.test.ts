import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freshEvent, freshSubject } from "../conformance.ts";
import { decodeMessage, encodeHeaders } from "./headers.ts";

const event = { ...freshEvent("registry.catalog.release.published"), id: "one", about: '@ünï/a "b" 100%' };
const body = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe("headers", () => {
  it("are CloudEvents 1.0 in binary mode", () => {
    const headers = encodeHeaders({ ...event, traceparent: "00-aa-bb-01" });
    const shown = Object.fromEntries(headers.keys().map((name) => [name, headers.get(name)]));
    expect(shown).toEqual({
      "ce-specversion": "1.0",
      "ce-id": "one",
      "ce-source": "/services/conformance",
      "ce-type": "registry.catalog.release.published",
      "ce-time": "2026-01-02T03:04:05.678Z",
      "ce-subject": "@%C3%BCn%C3%AF/a%20%22b%22%20100%25",
      "content-type": "application/json",
      traceparent: "00-aa-bb-01",
    });
  });

  it("leave out what the event does not have", () => {
    const headers = encodeHeaders({ ...event, about: "" });
    expect(headers.has("ce-subject")).toBe(false);
    expect(headers.has("traceparent")).toBe(false);
  });

  it("come back as they went, whatever the name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const about = text.toWellFormed().slice(0, 256).toWellFormed();
        const headers = encodeHeaders({ ...event, about });
        expect(decodeMessage({ subject: event.subject, headers, data: body(null) })).toEqual({ ...event, about });
      }),
    );
  });

  it("with a malformed trace are an event of no trace", () => {
    const headers = encodeHeaders(event);
    headers.set("traceparent", "00-EVIL");
    expect(decodeMessage({ subject: event.subject, headers, data: body(null) })).toEqual({ ...event, data: null });
  });

  it.each([
    ["no headers", undefined, body(null)],
    ["no JSON", encodeHeaders(event), Buffer.from("{")],
    ["no UTF-8", encodeHeaders(event), Buffer.from([0x22, 0xff, 0x22])],
    ["an id that none of ours has", encodeHeaders({ ...event, id: "x".repeat(201) }), body(null)],
    ["no source", encodeHeaders({ ...event, source: "" }), body(null)],
    ["more about it than any of ours has", encodeHeaders({ ...event, about: "x".repeat(257) }), body(null)],
    ["more data than any of ours has", encodeHeaders(event), body("x".repeat(512 * 1024))],
    ["data nested deeper than any of ours is", encodeHeaders(event), Buffer.from("[".repeat(9000) + "]".repeat(9000))],
    ["data that is more when it is written again", encodeHeaders(event), Buffer.from(`[${"1e20,".repeat(50_000)}1]`)],
    ["a group that there cannot be", encodeHeaders({ ...event, again: { key: "k", group: "A b" } }), body(null)],
  ])("with %s are no event", (_, headers, data) => {
    expect(decodeMessage({ subject: freshSubject(), headers, data })).toBeUndefined();
  });
});
