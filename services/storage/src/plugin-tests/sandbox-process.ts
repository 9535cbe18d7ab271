import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setInterval, setTimeout } from "node:timers/promises";
import { filterDescriptor, searchPath, statusDescriptor } from "./command.ts";
import type { SandboxLimits } from "./limits.ts";
import type { Ended } from "./outcome.ts";
import { limitExceeded } from "./usage.ts";

const keptBytes = 4096;
const watchIntervalMs = 50;
/** How long a sandbox may take to tell its first process, and to be gone once that was killed. */
const patienceMs = 10_000;

export interface RunOptions {
  /** What the command prints, both streams in one. */
  readonly onOutput: (chunk: Uint8Array) => void;
  readonly limits: SandboxLimits;
  /** Aborted when the time is over. */
  readonly timeUp: AbortSignal;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** What the program gets of this process. */
export interface Descriptors {
  /** A file with the filter of system calls. */
  readonly filter: number;
  /** The null device. */
  readonly nothing: number;
  /** Those that it would get unasked, in whose place it gets `nothing`: this process cannot close them for it. */
  readonly inherited: readonly number[];
}

/** One bubblewrap, from start to end. When `run` has settled, no process of it is left. */
export class SandboxProcess {
  readonly #child: ChildProcess;
  readonly #closed = Promise.withResolvers<void>();
  readonly #init = Promise.withResolvers<number>();
  #initPid: number | undefined;
  #exitCode: number | undefined;
  #messages = "";
  #status = "";

  /**
   * @param descriptors for the program, from 3 on: the filter of system calls first
   * @param onOutput must not keep what it gets: commands may print without end
   */
  constructor(command: readonly [string, ...string[]], descriptors: Descriptors, onOutput: RunOptions["onOutput"]) {
    const [program, ...args] = command;
    // A group of its own: a Ctrl-C at the service's terminal is no failed test.
    const child = spawn(program, args, {
      cwd: "/",
      env: { PATH: searchPath },
      stdio: stdioOf(descriptors),
      detached: true,
    });
    this.#child = child;
    child.on("error", (error) => {
      this.#messages += error.message;
      this.#closed.resolve();
    });
    child.once("close", () => this.#closed.resolve());
    child.stdout?.on("data", onOutput);
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#messages = (this.#messages + chunk.toString()).slice(0, keptBytes);
    });
    (child.stdio[statusDescriptor] as Readable).on("data", (chunk: Buffer) => this.#onStatus(chunk.toString()));
  }

  /** @throws the signal's reason; Error where the sandbox cannot be ended */
  async run({ limits, timeUp, signal }: Omit<RunOptions, "onOutput">): Promise<Ended> {
    const stop = new AbortController();
    const over = Promise.withResolvers<string>();
    const onTimeUp = (): void => over.resolve(`${limits.seconds} seconds`);
    const onAbort = (): void => over.resolve("cancelled");
    timeUp.addEventListener("abort", onTimeUp, { once: true, signal: stop.signal });
    signal.addEventListener("abort", onAbort, { once: true, signal: stop.signal });
    if (timeUp.aborted) onTimeUp();
    if (signal.aborted) onAbort();
    const watching = this.#watch(limits, stop.signal).then((limit) => limit !== undefined && over.resolve(limit));
    const limit = await Promise.race([this.#closed.promise.then(() => undefined), over.promise]);
    stop.abort();
    await watching;
    if (limit !== undefined) await this.#kill();
    signal.throwIfAborted();
    if (limit !== undefined) return { how: "cut", limit };
    if (this.#exitCode !== undefined) return { how: "exited", code: this.#exitCode };
    return { how: "not started", why: this.#messages.trim() };
  }

  #onStatus(text: string): void {
    this.#status = (this.#status + text).slice(0, keptBytes);
    const [, pid] = /"child-pid": (\d+)/.exec(this.#status) ?? [];
    const [, code] = /"exit-code": (\d+)/.exec(this.#status) ?? [];
    if (pid !== undefined && this.#initPid === undefined) {
      this.#initPid = Number(pid);
      this.#init.resolve(this.#initPid);
    }
    if (code !== undefined) this.#exitCode = Number(code);
  }

  /** Looks at what no limit of a single process covers. */
  async #watch(limits: SandboxLimits, stop: AbortSignal): Promise<string | undefined> {
    try {
      for await (const _ of setInterval(watchIntervalMs, undefined, { signal: stop })) {
        const limit = this.#initPid === undefined ? undefined : await limitExceeded(this.#initPid, limits);
        if (limit !== undefined) return limit;
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
    return undefined;
  }

  /**
   * The end of its first process is the end of all in it. bubblewrap tells which one that is before it lets it go on;
   * were bubblewrap killed sooner, that process might be left behind.
   */
  async #kill(): Promise<void> {
    const patience = new AbortController();
    const tired = setTimeout(patienceMs, "tired" as const, { signal: patience.signal }).catch(() => undefined);
    try {
      await Promise.race([this.#init.promise, this.#closed.promise, tired]);
      if (this.#initPid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
        killIfThere(this.#initPid);
      }
      this.#child.kill("SIGKILL");
      if ((await Promise.race([this.#closed.promise, tired])) === "tired") {
        for (const stream of this.#child.stdio) stream?.destroy();
        throw new Error(`the sandbox with process ${this.#initPid ?? this.#child.pid} could not be ended`);
      }
    } finally {
      patience.abort();
    }
  }
}

function stdioOf({ filter, nothing, inherited }: Descriptors): StdioOptions {
  const stdio: (number | "ignore" | "pipe")[] = ["ignore", "pipe", "pipe"];
  stdio[filterDescriptor] = filter;
  stdio[statusDescriptor] = "pipe";
  for (const descriptor of inherited) stdio[descriptor] ??= nothing;
  return Array.from(stdio, (entry) => entry ?? "ignore");
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
