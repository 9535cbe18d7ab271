import {
  type Action,
  type Caller,
  inScopeSomewhere,
  isAdmin,
  isUnscoped,
  maySomewhere,
  permissionDenied,
  unauthenticated,
} from "@registry/domain";
import type { Logger } from "../log.ts";

/** The part of a generated message type that calls need. */
export interface MessageType {
  encode(message: never): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromPartial(partial: never): unknown;
}

export interface MethodDefinition {
  readonly name: string;
  readonly requestType: MessageType;
  readonly requestStream: boolean;
  readonly responseType: MessageType;
  readonly responseStream: boolean;
  readonly options: { readonly idempotencyLevel?: string };
}

/** A service as the generated code defines it. */
export interface ServiceDefinition {
  readonly name: string;
  readonly fullName: string;
  readonly methods: { readonly [method: string]: MethodDefinition };
}

/** What an audit row says beside who, when and how it ended. No secrets. */
export interface AuditNote {
  /** Instead of what the table says of the request. */
  readonly action?: string;
  readonly target?: string;
  /** Whose owners may read the row. */
  readonly organisation?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
  /** True: nothing was changed, so there is nothing to tell. */
  readonly unchanged?: boolean;
}

/** A note that says at least what is done. */
export type AuditSubject = AuditNote & { readonly action: string };

/** What a handler knows about the call it serves. */
export interface CallContext {
  readonly caller: Caller;
  /** The internal token to pass on when acting for the caller; undefined for anonymous callers. */
  readonly authorization: string | undefined;
  /** Aborted when the deadline passes or the caller goes away. */
  readonly signal: AbortSignal;
  readonly deadline: Date;
  readonly requestId: string;
  /** The service that passed the call on, proved by its own token; undefined for a direct one. */
  readonly via: string | undefined;
  /** Where the original caller is: as the passing service says, else the connection's other end. */
  readonly address: string | undefined;
  readonly log: Logger;
  /** Adds to what the audit log will say of this call; later notes win. */
  audit(note: AuditNote): void;
}

/** The part of a call that calls made for it pass on. */
export type PassedOn = Pick<CallContext, "authorization" | "signal" | "deadline" | "requestId" | "address">;

type MessageOf<T> = T extends { decode(...args: never[]): infer M } ? M : never;
type PartialOf<T> = T extends { fromPartial(partial: infer P): unknown } ? P : never;
type RequestOf<M extends MethodDefinition> = MessageOf<M["requestType"]>;
type ResponseOf<M extends MethodDefinition> = PartialOf<M["responseType"]>;

export type Handler<M extends MethodDefinition> = (
  request: M["requestStream"] extends true ? AsyncIterable<RequestOf<M>> : RequestOf<M>,
  context: CallContext,
) => M["responseStream"] extends true ? AsyncIterable<ResponseOf<M>> : Promise<ResponseOf<M>>;

/** Who may call; checked before the handler runs. */
export interface Policy {
  (caller: Caller, registry: { readonly anonymousRead: boolean }): boolean;
  /** Of a policy that lets services in and nobody else: their names. */
  readonly services?: readonly string[];
}

/** Everybody, always. */
export const anyone: Policy = () => true;
/** Everybody, unless the registry asks for a credential on every read. */
export const readers: Policy = (caller, { anonymousRead }) => anonymousRead || caller.type !== "anonymous";
/** Every user with a credential. */
export const users: Policy = (caller) => caller.type === "user";
export const admins: Policy = isAdmin;
/** Users that hold a right on at least something; what exactly is checked once the thing is known. */
export const holdersOf =
  (action: Action): Policy =>
  (caller) =>
    caller.type === "user" && maySomewhere(caller, action);
/** Users whose credential lets them do this to something; whether they may is known once the thing is. */
export const scopedFor =
  (action: Action): Policy =>
  (caller) =>
    caller.type === "user" && inScopeSomewhere(caller, action);
/** Users with all of their rights: a token for one purpose must not make itself a wider one, nor lock its user out. */
export const unscoped: Policy = isUnscoped;
/** Other services of this registry, by name. */
export function services(...names: readonly string[]): Policy {
  const policy: Policy = (caller) => caller.type === "service" && names.includes(caller.name);
  return Object.assign(policy, { services: names });
}
export const anyOf =
  (...policies: readonly Policy[]): Policy =>
  (caller, registry) =>
    policies.some((policy) => policy(caller, registry));

export function enforce(policy: Policy, caller: Caller, registry: { readonly anonymousRead: boolean }): void {
  if (policy(caller, registry)) return;
  throw caller.type === "anonymous" ? unauthenticated() : permissionDenied();
}

/** One RPC: who may call it and what it does. */
export interface Row<M extends MethodDefinition> {
  readonly allow: Policy;
  readonly handle: Handler<M>;
  /** What the audit log says of a call; absent for what changes nothing that anybody answers for. Not for streams. */
  readonly audit?: M["requestStream"] extends true
    ? never
    : M["responseStream"] extends true
      ? never
      : (request: RequestOf<M>) => AuditSubject;
  /** Longest time that a call may take, whatever its caller asks. Default 60000; 0 for streams without end. */
  readonly maxDurationMs?: number;
}

export interface ErasedRow {
  readonly allow: Policy;
  readonly handle: (request: unknown, context: CallContext) => unknown;
  readonly audit?: (request: unknown) => AuditSubject;
  readonly maxDurationMs?: number;
}

/** A service's map from RPC to use case. */
export interface ServiceTable {
  readonly definition: ServiceDefinition;
  readonly rows: { readonly [method: string]: ErasedRow };
  /** Where calls with an `audit` are written down. */
  readonly journal?: AuditJournal | undefined;
}

/** Who does what, as far as it is known before it is done. */
export interface AuditBegin extends AuditSubject {
  /** Unique; of the change, and of its row in the log. */
  readonly id: string;
  readonly caller: Caller;
  readonly address: string | undefined;
  readonly via: string | undefined;
  readonly requestId: string;
  /** Longest time that it takes, milliseconds; an end that is not known long after that was cut off by a crash. */
  readonly longestMs: number;
}

export type AuditResult = "ok" | "denied" | "failed";

/** Writes changes down so that none is lost: before they are made, and again when their end is known. */
export interface AuditJournal {
  /** Durable once resolved. @throws kind `unavailable` where it cannot be written: the change must then not be made */
  begin(entry: AuditBegin): Promise<void>;
  /** Of what was begun. Never throws: what cannot be told now is told later. */
  end(id: string, result: AuditResult, note: AuditNote, reason: string): Promise<void>;
  /** What was begun changed nothing. Never throws. */
  drop(id: string): Promise<void>;
  /** What was refused before it was begun. Never throws, since nothing was changed. */
  refuse(entry: AuditBegin, reason: string): Promise<void>;
}

/** Every method of the contract has a row, or it does not compile. */
export function defineService<D extends ServiceDefinition>(
  definition: D,
  rows: { readonly [M in keyof D["methods"]]: Row<D["methods"][M]> },
): ServiceTable {
  return { definition, rows: rows as unknown as { readonly [method: string]: ErasedRow } };
}

/** The tables of a service with its journal, so that none of them is composed without. */
export function journaled(tables: readonly ServiceTable[], journal: AuditJournal): readonly ServiceTable[] {
  return tables.map((table) => ({ ...table, journal }));
}

export interface CallOptions {
  /** The call being served; its deadline, signal and request id are passed on. */
  readonly context?: PassedOn | undefined;
  /**
   * In whose name: `caller` (default) passes on the authorization of the context, `service` uses this process's own
   * identity.
   */
  readonly as?: "caller" | "service";
  readonly signal?: AbortSignal | undefined;
  /** Default 10000; never longer than what is left of the context's deadline. 0 for streams without end. */
  readonly timeoutMs?: number;
}

export type ClientMethod<M extends MethodDefinition> = (
  request: M["requestStream"] extends true ? AsyncIterable<PartialOf<M["requestType"]>> : PartialOf<M["requestType"]>,
  options?: CallOptions,
) => M["responseStream"] extends true
  ? AsyncIterable<MessageOf<M["responseType"]>>
  : Promise<MessageOf<M["responseType"]>>;

/** A client of one service, the same for a service in this process and for one elsewhere. */
export type ServiceClient<D extends ServiceDefinition> = {
  readonly [M in keyof D["methods"]]: ClientMethod<D["methods"][M]>;
};
