import { isRegistryError, type RegistryError } from "@registry/domain";
import { toRegistryError } from "./errors.ts";
import type { AuditBegin, AuditJournal, AuditNote, AuditSubject, CallContext } from "./table.ts";

const minuteMs = 60_000;
const perMinute = 60;
/** Beyond so many who are refused within a minute, none of the others is told of. */
const mostActors = 10_000;

/** Keeps those who are refused all the time from filling the log: so many rows a minute for each of them. */
export class RefusalLimit {
  readonly #counts = new Map<string, number>();
  #began = Number.NEGATIVE_INFINITY;

  /** Whether one more is to be told. */
  take(actor: string): boolean {
    const now = performance.now();
    if (now - this.#began >= minuteMs) {
      this.#counts.clear();
      this.#began = now;
    }
    const count = this.#counts.get(actor) ?? 0;
    if (count >= perMinute || (count === 0 && this.#counts.size >= mostActors)) return false;
    this.#counts.set(actor, count + 1);
    return true;
  }
}

export interface AuditMeans {
  readonly journal: AuditJournal;
  readonly refusals: RefusalLimit;
  /** A refusal is not told. */
  readonly spared: () => void;
}

/** The call as far as its trail needs to know it. */
interface Followed {
  readonly signal: AbortSignal;
  readonly noted: AuditNote;
}

/** What the audit log learns of one call. */
export class AuditTrail {
  readonly #means: AuditMeans;
  readonly #entry: AuditBegin;

  constructor(means: AuditMeans, id: string, subject: AuditSubject, context: CallContext) {
    this.#means = means;
    const { caller, address, via, requestId, deadline } = context;
    this.#entry = { ...subject, id, caller, address, via, requestId, longestMs: deadline.getTime() - Date.now() };
  }

  /**
   * Does the work between two entries of the journal, and is to be run to its end even where nobody waits for it any
   * more: only then it is known whether something was changed.
   * @throws kind `unavailable` where the journal cannot be written, and then the work is not done; else as the work does
   */
  async follow(work: () => Promise<unknown>, call: Followed): Promise<unknown> {
    const { journal } = this.#means;
    const { id } = this.#entry;
    await journal.begin(this.#entry);
    if (call.signal.aborted) {
      await journal.drop(id);
      throw call.signal.reason;
    }
    try {
      const answer = await work();
      if (call.noted.unchanged === true) await journal.drop(id);
      else await journal.end(id, "ok", call.noted, "");
      return answer;
    } catch (error) {
      const cause = call.signal.aborted && !isRegistryError(error) ? call.signal.reason : error;
      await this.#fail(toRegistryError(cause), call.noted);
      throw error;
    }
  }

  /** The policy turned the call away. That somebody without a credential was asked for one is not worth a row. */
  async refuse(error: RegistryError): Promise<void> {
    if (this.#entry.caller.type === "anonymous") return;
    if (this.#mayTellRefusal()) await this.#means.journal.refuse(this.#entry, error.reason);
  }

  async #fail({ kind, reason }: RegistryError, noted: AuditNote): Promise<void> {
    const { journal } = this.#means;
    const { id } = this.#entry;
    switch (kind) {
      case "permission_denied":
      case "unauthenticated":
        return this.#mayTellRefusal() ? journal.end(id, "denied", noted, reason) : journal.drop(id);
      // Something may have been changed all the same.
      case "internal":
      case "unavailable":
      case "deadline_exceeded":
      case "cancelled":
        return journal.end(id, "failed", noted, reason);
      default:
        return journal.drop(id);
    }
  }

  #mayTellRefusal(): boolean {
    const { caller, address } = this.#entry;
    const actor =
      caller.type === "user" ? `user ${caller.id}` : caller.type === "service" ? `service ${caller.name}` : address;
    if (this.#means.refusals.take(actor ?? "nowhere")) return true;
    this.#means.spared();
    return false;
  }
}
