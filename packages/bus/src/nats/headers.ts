import { headers, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import type { Again, Event } from "../port.ts";
import { isCarried, isTraceContext } from "../rules.ts";

/** CloudEvents 1.0, binary mode: the attributes as headers, the data as the body. */
export function encodeHeaders(event: Event): MsgHdrs {
  const encoded = headers();
  const set = (name: string, value: string): void => encoded.set(name, percentEncode(value));
  set("ce-specversion", "1.0");
  set("ce-id", event.id);
  set("ce-source", event.source);
  set("ce-type", event.subject);
  set("ce-time", event.time.toISOString());
  if (event.about !== "") set("ce-subject", event.about);
  if (event.traceparent !== undefined) encoded.set("traceparent", event.traceparent);
  if (event.again !== undefined) {
    const { key, group, attempts } = event.again;
    set("ce-again", key);
    if (group !== undefined) set("ce-againgroup", group);
    if (attempts !== undefined) set("ce-againattempts", `${attempts}`);
  }
  encoded.set("content-type", "application/json");
  return encoded;
}

/** Undefined where the message is none of the registry's events: `publish` would not have taken it. */
export function decodeMessage(message: Pick<Msg, "subject" | "headers" | "data">): Event | undefined {
  const event = readMessage(message);
  return event !== undefined && isCarried(event, message.data.length) ? event : undefined;
}

function readMessage(message: Pick<Msg, "subject" | "headers" | "data">): Event | undefined {
  const get = (name: string): string | undefined => percentDecode(message.headers?.get(name) ?? "");
  const id = get("ce-id");
  const time = new Date(get("ce-time") ?? "");
  const trace = get("traceparent") ?? "";
  const again = decodeAgain(get);
  if (!id || Number.isNaN(time.getTime())) return undefined;
  try {
    return {
      id,
      subject: message.subject,
      source: get("ce-source") ?? "",
      time,
      about: get("ce-subject") ?? "",
      data: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(message.data)),
      // The standard has a malformed one passed over.
      ...(isTraceContext(trace) && { traceparent: trace }),
      ...(again && { again }),
    };
  } catch {
    return undefined;
  }
}

function decodeAgain(get: (name: string) => string | undefined): Again | undefined {
  const key = get("ce-again");
  if (!key) return undefined;
  const group = get("ce-againgroup");
  const attempts = get("ce-againattempts") ?? "";
  return { key, ...(group && { group }), ...(/^\d{1,9}$/.test(attempts) && { attempts: Number(attempts) }) };
}

/** As the CloudEvents bindings want it: printable ASCII stays, but for space, double quote and the percent sign itself. */
const percentEncode = (value: string): string =>
  value.toWellFormed().replace(/[^!#$&-~]/gu, (character) => [...Buffer.from(character)].map(percent).join(""));

const percent = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

function percentDecode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
