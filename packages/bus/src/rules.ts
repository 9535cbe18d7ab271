import { invalid, quote, type RegistryError } from "@registry/domain";
import type { Event, Redelivery, SubscribeOptions } from "./port.ts";

export const maxBodyBytes = 512 * 1024;
/** A parked event holds another whole, in base64. */
const maxParkedBytes = maxBodyBytes * 1.4;
/** What is nested by the thousands can be read, but not written again. */
export const maxDepth = 100;

export const parkedSubject = "registry.deadletters.event.parked";
export const settledSubject = "registry.deadletters.event.settled";

const subjectPattern = /^registry(\.[a-z0-9_-]{1,64}){1,8}$/;
/** Of consumers. */
export const isGroupName = (text: string): boolean => /^[a-z][a-z0-9-]{0,63}$/.test(text);

export interface CheckedSubscription {
  readonly group: string;
  readonly subjects: readonly string[];
  readonly ackWaitMs: number;
  readonly maxDeliver: number;
  readonly concurrency: number;
  readonly onDeadLetter: SubscribeOptions["onDeadLetter"];
}

/** What tells an event from its repetitions. */
export const messageIdOf = ({ id, again }: Pick<Event, "id" | "again">): string =>
  again === undefined ? id : `${id}#${again.key}`;

/** Whether a group is to handle an event of its subjects; undefined stands for a tap. */
export const isFor = (group: string | undefined, { again }: Pick<Event, "again">): boolean =>
  again?.group === undefined || again.group === group;

/**
 * The event's data as it travels.
 * @throws kind `invalid_argument`, reason `INVALID_EVENT`
 */
export function encodeData(event: Event): string {
  checkEnvelope(event);
  if (isDeeper(event.data, maxDepth)) throw invalidEvent(`data may be nested up to ${maxDepth} levels`, "/data");
  const body = JSON.stringify(event.data);
  if (body === undefined) throw invalidEvent("data must be a JSON value", "/data");
  if (!fits(event.subject, Buffer.byteLength(body))) {
    throw invalidEvent(`data may have up to ${maxBodyBytes} bytes`, "/data");
  }
  return body;
}

/**
 * Whether `publish` would take it, too. What it would not is from somebody else: it could neither be parked nor sent again.
 * @param bytes of the data as they travelled
 */
export function isCarried(event: Event, bytes: number): boolean {
  if (!fits(event.subject, bytes)) return false;
  try {
    // Written again it may be more than it was.
    encodeData(event);
    return true;
  } catch {
    return false;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

const fits = (subject: string, bytes: number): boolean =>
  bytes <= (subject === parkedSubject ? maxParkedBytes : maxBodyBytes);

/** @throws kind `invalid_argument`, reason `INVALID_EVENT` */
function checkEnvelope(event: Event): void {
  if (!/^[!-~]{1,200}$/.test(event.id)) throw invalidEvent("id must be 1 to 200 printable ASCII characters", "/id");
  if (!subjectPattern.test(event.subject)) {
    throw invalidEvent(`${quote(event.subject)} is no subject; use registry.<area>.<thing>.<past-tense>`, "/subject");
  }
  if (!/^[!-~]{1,200}$/.test(event.source)) throw invalidEvent("source must be a URI reference in ASCII", "/source");
  if (Number.isNaN(event.time.getTime())) throw invalidEvent("time must be a valid date", "/time");
  if (event.about.length > 256) throw invalidEvent("about may have up to 256 characters", "/about");
  if (event.traceparent !== undefined && !isTraceContext(event.traceparent)) {
    throw invalidEvent("traceparent must be a W3C trace context", "/traceparent");
  }
  checkAgain(event.again);
}

/** As far as it can travel; who reads it looks at it closely. */
export const isTraceContext = (text: string): boolean => /^[0-9a-f-]{1,100}$/.test(text);

function checkAgain(again: Event["again"]): void {
  if (again === undefined) return;
  const { key, group, attempts = 0 } = again;
  if (!/^[!-~]{1,100}$/.test(key)) throw invalidEvent("key must be 1 to 100 printable ASCII characters", "/again/key");
  if (group !== undefined && !isGroupName(group)) {
    throw invalidEvent(`${quote(group)} is no group name`, "/again/group");
  }
  if (!Number.isSafeInteger(attempts) || attempts < 0) {
    throw invalidEvent("attempts must be a whole number from 0", "/again/attempts");
  }
}

/** @throws kind `invalid_argument`, reason `INVALID_SUBSCRIPTION` */
export function checkSubscription(options: SubscribeOptions): CheckedSubscription {
  const { group, subjects, ackWaitMs = 30_000, maxDeliver = 10, concurrency = 16, onDeadLetter } = options;
  if (!isGroupName(group)) {
    throw invalidSubscription(`${quote(group)} is no group name; use a-z, then a-z 0-9 -`, "/group");
  }
  checkSubjects(subjects);
  checkWhole("ackWaitMs", ackWaitMs, 10, 3_600_000);
  checkWhole("maxDeliver", maxDeliver, 1, 1000);
  checkWhole("concurrency", concurrency, 1, 1000);
  return { group, subjects: [...subjects], ackWaitMs, maxDeliver, concurrency, onDeadLetter };
}

/** @throws kind `invalid_argument`, reason `INVALID_SUBSCRIPTION` */
export function checkSubjects(subjects: readonly string[]): void {
  if (subjects.length === 0) throw invalidSubscription("subjects must name at least one subject", "/subjects");
  subjects.forEach((subject, index) => {
    const pointer = `/subjects/${index}`;
    const exact = subject.endsWith(".>") ? `${subject.slice(0, -1)}x` : subject;
    if (!subjectPattern.test(exact)) {
      throw invalidSubscription(`${quote(subject)} is no subject; use registry.a.b.c or a prefix with .>`, pointer);
    }
    if (subjects.some((other, at) => at !== index && matches([other], subject))) {
      throw invalidSubscription(`${quote(subject)} is covered by another subject; leave it out`, pointer);
    }
  });
}

export function matches(patterns: readonly string[], subject: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith(".>") ? subject.startsWith(pattern.slice(0, -1)) : subject === pattern,
  );
}

/** Milliseconds to wait after the failure of delivery number `attempt`. */
export function pauseAfter(attempt: number, redelivery: Redelivery): number {
  const { baseMs = 1000, maxMs = 20_000 } = redelivery;
  return Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw invalidSubscription(`${name} must be a whole number from ${least} to ${most}`, `/${name}`);
  }
}

const invalidEvent = (message: string, pointer: string): RegistryError => invalid("INVALID_EVENT", message, pointer);

const invalidSubscription = (message: string, pointer: string): RegistryError =>
  invalid("INVALID_SUBSCRIPTION", message, pointer);
