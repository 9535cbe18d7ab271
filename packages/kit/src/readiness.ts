import { type Clock, isRecent } from "./clock.ts";
import type { Service, ServiceName } from "./service.ts";

/** What a process answers at `/ready`. */
export interface ReadyState {
  readonly ready: boolean;
  readonly checks: Record<string, boolean>;
}

type Checks = Record<string, boolean>;

/** Longer than what each check may take, a neighbour's answer too. */
const longestMs = 2000;
const maxAgeMs = 500;
/** The outbox bridges the bus's absence, so it is shown and no reason to send work elsewhere. */
const shownOnly: ReadonlySet<string> = new Set(["bus"]);

/**
 * One run of checks for all who ask meanwhile, and its answer for half a second: stores are asked no more often, however
 * many probes come. Never rejects: checks that fail or do not end within two seconds do not hold.
 * @param name of the one check that does not hold then
 */
export function sharedChecks(name: string, ask: () => Promise<Checks>, clock: Clock): () => Promise<Checks> {
  let running: Promise<Checks> | undefined;
  let last: { readonly at: number; readonly checks: Checks } | undefined;
  const run = async (): Promise<Checks> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Checks>((resolve) => {
      timer = setTimeout(() => resolve({ [name]: false }), longestMs);
    });
    const checks = await Promise.race([ask().catch(() => ({ [name]: false })), late]);
    clearTimeout(timer);
    last = { at: clock.now().getTime(), checks };
    running = undefined;
    return checks;
  };
  return () => {
    if (last !== undefined && isRecent(clock, last.at, maxAgeMs)) return Promise.resolve(last.checks);
    running ??= run();
    return running;
  };
}

/** Whether the process may be sent work: the one truth behind `/ready` and gRPC health. */
export class Readiness {
  readonly #clock: Clock;
  readonly #checks = new Map<ServiceName, () => Promise<Checks>>();
  /** By the full names of the gRPC services. */
  readonly #owners = new Map<string, ServiceName>();
  readonly #ending = new AbortController();
  #open = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  follow({ name, tables, checks }: Service): void {
    this.#checks.set(name, sharedChecks(name, checks, this.#clock));
    for (const { definition } of tables) this.#owners.set(definition.fullName, name);
  }

  /** Everything has started. */
  begin(): void {
    this.#open = true;
  }

  /** From now on not ready: the process is about to close. */
  end(): void {
    this.#ending.abort();
  }

  /** Aborted by `end`. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Of the whole process. Answers within two seconds. */
  async state(): Promise<ReadyState> {
    const all = await Promise.all([...this.#checks.values()].map((ask) => ask()));
    const checks: Checks = {};
    for (const [name, holds] of all.flatMap((own) => Object.entries(own))) {
      checks[name] = (checks[name] ?? true) && holds;
    }
    if (!this.#serving) checks.process = false;
    return { ready: holdsAll(checks), checks };
  }

  /**
   * The same for gRPC health.
   * @param fullName of a gRPC service; empty for the whole process
   * @returns undefined where this process has no such service
   */
  async serves(fullName: string): Promise<boolean | undefined> {
    if (fullName === "") return (await this.state()).ready;
    const owner = this.#owners.get(fullName);
    const checks = owner === undefined ? undefined : await this.#checks.get(owner)?.();
    return checks && this.#serving && holdsAll(checks);
  }

  get #serving(): boolean {
    return this.#open && !this.#ending.signal.aborted;
  }
}

function holdsAll(checks: Checks): boolean {
  return Object.entries(checks).every(([name, holds]) => holds || shownOnly.has(name));
}
