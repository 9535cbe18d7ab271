import type { Rebuild, DeadLetter as Told } from "@registry/contracts/analytics-events";
import { notFound, type RegistryError } from "@registry/domain";
import type { DeadLetter } from "../store/dead-letters.ts";
import type { RebuildJob } from "../store/rebuild-jobs.ts";

/** @param whole with the event's data */
export function toDeadLetter(letter: DeadLetter, whole = false): Told {
  const { _id: id, group, eventId, event, attempts, cause, state, firstParkedAt, parkedAt, retryAt } = letter;
  return {
    id,
    group,
    eventId,
    subject: event?.subject ?? "",
    source: event?.source ?? "",
    about: event?.about ?? "",
    eventTime: event?.time,
    attempts,
    cause,
    state,
    firstParkedAt,
    parkedAt,
    retryAt,
    dataJson: whole ? (event?.data ?? "") : "",
  };
}

export const noDeadLetter = (): RegistryError => notFound("DEAD_LETTER_NOT_FOUND", "Dead letter not found");

/** For the audit log: which event of which group. */
export function auditOf({ _id, group, eventId, event, attempts }: DeadLetter) {
  const before = { group, event_id: eventId, subject: event?.subject ?? "", about: event?.about ?? "", attempts };
  return { target: _id, before };
}

export function toRebuild(job: RebuildJob): Rebuild {
  const { number, state, step, checked, mended: mendedBy, requestedAt, finishedAt, failure } = job;
  const mended = Object.values(mendedBy).reduce((sum, count) => sum + count, 0);
  return { number, state, step, checked, mended, mendedBy: { ...mendedBy }, requestedAt, finishedAt, failure };
}
