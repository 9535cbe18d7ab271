import { type Caller, RegistryError } from "@registry/domain";
import { anySignal } from "../any-signal.ts";
import type { Identity } from "../identity/identity.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { AuditTrail, RefusalLimit } from "./audit-trail.ts";
import { type ClientRules, groupOf } from "./client-rules.ts";
import { codeOf, deadlineExceeded, toRegistryError } from "./errors.ts";
import { readable } from "./messages.ts";
import { type AuditNote, type CallContext, type ErasedRow, enforce, type ServiceTable } from "./table.ts";
import { methodOf } from "./transport.ts";

/** What came with a call beside its message. */
export interface CallMeta {
  readonly authorization: string | undefined;
  /** Token of the service that passes the call on. */
  readonly serviceToken?: string | undefined;
  /** Where that service says that the original caller is. */
  readonly address?: string | undefined;
  /** The other end of the connection. */
  readonly peer?: string | undefined;
  /** Names of its certificate; undefined without one: within the process, or where the network is trusted instead. */
  readonly peerNames?: readonly string[] | undefined;
  readonly requestId: string | undefined;
  /** W3C trace context that the call is a part of. */
  readonly traceparent?: string | undefined;
  /** What the caller has left. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface PipelineDeps {
  /** Which certificates may call what. */
  readonly clients: ClientRules;
  readonly identity: Identity;
  readonly anonymousRead: boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly newId: () => string;
  /** Calls of whoever is no process of the registry have a line at `info`, too. Default false. */
  readonly logsRequests?: boolean;
}

/** How a call reaches its handler. Fails with `RegistryError` only. */
export interface Calls {
  /** For methods that answer once. */
  unary(table: ServiceTable, method: string, request: unknown, meta: CallMeta): Promise<unknown>;
  /** For methods that answer with a stream. */
  stream(table: ServiceTable, method: string, request: unknown, meta: CallMeta): AsyncIterable<unknown>;
  /** Ends streams without end, now and from now on, with kind `unavailable`: their callers look for another replica. */
  endStreams(): void;
}

const defaultMaxMs = 60_000;
const endingOptions = { retryAfterSeconds: 1 };

/** The onion around every handler, the same over the wire and in one process: identity, policy, deadline, errors, telemetry. */
export class Pipeline implements Calls {
  readonly #deps: PipelineDeps;
  readonly #refusals = new RefusalLimit();
  readonly #ending = new AbortController();

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  endStreams(): void {
    this.#ending.abort(new RegistryError("unavailable", "ENDING", "This process ends; ask another", endingOptions));
  }

  /** For methods that answer once. @throws RegistryError, and nothing else */
  async unary(table: ServiceTable, method: string, request: unknown, meta: CallMeta): Promise<unknown> {
    const call = this.#begin(table, method, meta);
    try {
      const message = readable(methodOf(table.definition, method), request);
      const { context, trail } = await this.#enter(call, table, message, meta);
      const handle = async (): Promise<unknown> => call.row.handle(message, context);
      const handled = trail === undefined ? handle() : trail.follow(handle, call);
      const answer = await untilAborted(handled, call.signal);
      call.end();
      return answer;
    } catch (error) {
      throw call.fail(error);
    } finally {
      call.release();
    }
  }

  /** For methods that answer with a stream. @throws RegistryError, and nothing else */
  async *stream(table: ServiceTable, method: string, request: unknown, meta: CallMeta): AsyncGenerator<unknown> {
    const call = this.#begin(table, method, meta);
    try {
      const asked = readable(methodOf(table.definition, method), request);
      const { context } = await this.#enter(call, table, asked, meta);
      for await (const message of call.row.handle(asked, context) as AsyncIterable<unknown>) {
        call.signal.throwIfAborted();
        yield message;
      }
      call.end();
    } catch (error) {
      throw call.fail(error);
    } finally {
      call.release();
    }
  }

  async #enter(
    call: OpenCall,
    table: ServiceTable,
    request: unknown,
    meta: CallMeta,
  ): Promise<{ context: CallContext; trail: AuditTrail | undefined }> {
    const { identity, clients } = this.#deps;
    const { peerNames } = meta;
    if (peerNames !== undefined) clients.admit(peerNames, groupOf(table, call.row));
    const via = await identity.serviceOf(meta.serviceToken);
    if (peerNames !== undefined && via !== undefined) clients.prove(peerNames, via);
    call.identified({ via });
    const address = via === undefined ? meta.peer : meta.address;
    const { caller, authorization } = await identity.resolve(meta.authorization, address);
    if (peerNames !== undefined && caller.type === "service") clients.prove(peerNames, caller.name);
    call.identified({ via, caller });
    const context: CallContext = {
      caller,
      authorization,
      via,
      address,
      audit: (note) => call.note(note),
      signal: call.signal,
      deadline: call.deadline,
      requestId: call.requestId,
      log: call.log,
    };
    const trail = this.#trailOf(table, call.row, request, context);
    try {
      enforce(call.row.allow, caller, this.#deps);
    } catch (error) {
      await trail?.refuse(toRegistryError(error));
      throw error;
    }
    return { context, trail };
  }

  #trailOf(table: ServiceTable, row: ErasedRow, request: unknown, context: CallContext): AuditTrail | undefined {
    if (row.audit === undefined || table.journal === undefined) return undefined;
    const { newId, metrics } = this.#deps;
    const means = { journal: table.journal, refusals: this.#refusals, spared: () => metrics.auditSpared.inc() };
    return new AuditTrail(means, newId(), row.audit(request), context);
  }

  #begin(table: ServiceTable, method: string, meta: CallMeta): OpenCall {
    const row = table.rows[method];
    if (row === undefined) throw new RegistryError("unimplemented", "UNIMPLEMENTED", "No such method");
    const requestId = meta.requestId ?? this.#deps.newId();
    const { fullName } = table.definition;
    const { name } = methodOf(table.definition, method);
    const log = this.#deps.log.child({ request_id: requestId, rpc: `${fullName}/${method}` });
    const measured = this.#deps.metrics.served.begin(fullName, name);
    const call = new OpenCall(row, requestId, meta, log, measured, this.#deps.logsRequests === true);
    if (row.maxDurationMs === 0) call.endWith(this.#ending.signal);
    return call;
  }
}

interface Who {
  /** The service that passes the call on. */
  readonly via?: string | undefined;
  readonly caller?: Caller;
}

class OpenCall {
  readonly row: ErasedRow;
  readonly requestId: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly deadline: Date;
  readonly #measured: (code: string) => void;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();
  readonly #logsRequests: boolean;
  #ended = false;
  #who: Who = {};
  #noted: AuditNote = {};
  #stopListening = (): void => undefined;

  /** @param measured to be told the code with which the call ends */
  constructor(
    row: ErasedRow,
    requestId: string,
    meta: CallMeta,
    log: Logger,
    measured: (code: string) => void,
    logsRequests: boolean,
  ) {
    this.#logsRequests = logsRequests;
    this.row = row;
    this.requestId = requestId;
    this.log = log;
    this.#measured = measured;
    const longest = row.maxDurationMs ?? defaultMaxMs;
    const allowed = Math.min(
      longest === 0 ? Number.POSITIVE_INFINITY : longest,
      meta.timeoutMs ?? Number.POSITIVE_INFINITY,
    );
    this.deadline = new Date(Date.now() + Math.min(allowed, 86_400_000));
    if (Number.isFinite(allowed)) {
      this.#timer = setTimeout(() => this.#controller.abort(deadlineExceeded()), Math.max(0, allowed));
    }
    this.signal = meta.signal === undefined ? this.#controller.signal : anySignal(meta.signal, this.#controller.signal);
  }

  /** Aborts the call as soon as the signal is aborted, for the same reason. */
  endWith(signal: AbortSignal): void {
    const abort = (): void => this.#controller.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#stopListening = () => signal.removeEventListener("abort", abort);
  }

  /** What the audit log is to say of this call so far. */
  get noted(): AuditNote {
    return this.#noted;
  }

  note(note: AuditNote): void {
    this.#noted = { ...this.#noted, ...note };
  }

  /** It is known who calls, as far as that. */
  identified(who: Who): void {
    this.#who = who;
  }

  end(): void {
    this.#end("ok", "OK");
  }

  #end(outcome: string, code: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#measured(code);
    const ms = performance.now() - this.#startedAt;
    const { via, caller } = this.#who;
    const told = { outcome, code, duration_ms: Math.round(ms * 10) / 10 };
    if (!this.#logsRequests || via !== undefined || caller?.type === "service") this.log.debug(told, "call");
    else this.log.info({ ...told, user: caller?.type === "user" ? caller.id : "anonymous" }, "request");
  }

  fail(error: unknown): RegistryError {
    // A call that was aborted may fail with whatever the abort broke; what it was aborted for is the truth.
    const cause = this.#controller.signal.aborted ? this.#controller.signal.reason : error;
    const known = toRegistryError(cause);
    this.#end(known.kind, codeOf(known.kind));
    if (known.kind === "internal") this.log.error({ err: cause }, "call failed");
    else if (known.kind === "unavailable") this.log.warn({ err: cause }, "call failed");
    else this.log.debug({ reason: known.reason }, "call refused");
    return known;
  }

  release(): void {
    this.#end("cancelled", "CANCELLED");
    clearTimeout(this.#timer);
    this.#stopListening();
  }
}

/** Settles with the promise, or fails as soon as the signal is aborted, so that no handler outlives its deadline unseen. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
