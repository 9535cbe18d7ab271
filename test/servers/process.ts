import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { endWithUs } from "./cleanup.ts";

const usualStartDeadline = 30_000;
const stopDeadline = 30_000;
const pollEvery = 20;
const keptLines = 400;

/** What to run, and how to tell that it serves. */
export interface Command {
  name: string;
  program: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  ready(): Promise<boolean>;
  /** How long it may take until it answers, in milliseconds; 30,000 if absent. */
  startWithin?: number;
  /** Given everything that it prints, over all its starts. */
  heard?: (text: string) => void;
}

/** A process that a test controls. It ends with the test process at the latest. */
export interface Controlled {
  /** The process id; changes with every start; `undefined` while it is stopped. */
  readonly pid: number | undefined;
  /** Starts it again, on the same port and data, and waits until it answers. */
  start(): Promise<void>;
  /** SIGTERM, and SIGKILL when that has not ended it within 30 s. Its data stays. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone. Its data stays. */
  kill(): Promise<void>;
  /** Waits until it has ended after a signal; SIGKILL when it has not within 30 s. */
  ended(): Promise<void>;
  /** Sends a signal without waiting for what it does. */
  signal(name: NodeJS.Signals): void;
  /** The last 400 lines that it has printed, over all its starts. */
  log(): string;
}

export class ControlledProcess implements Controlled {
  readonly #command: Command;
  readonly #lines: string[] = [];
  #child: ChildProcess | undefined;

  constructor(command: Command) {
    this.#command = command;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it without waiting until it answers. */
  launch(): void {
    if (this.#child !== undefined) throw new Error(`${this.#command.name} runs already`);
    const { program, args, env, cwd } = this.#command;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env, cwd });
    this.#child = child;
    const release = child.pid === undefined ? () => {} : endWithUs(child.pid);
    child.stdout?.setEncoding("utf8").on("data", (text) => this.#keep(text));
    child.stderr?.setEncoding("utf8").on("data", (text) => this.#keep(text));
    child.on("error", (error) => this.#keep(`${error.message}\n`));
    child.on("exit", (code, signal) => this.#keep(`[ended with ${signal ?? code}]\n`));
    child.on("close", () => {
      release();
      if (this.#child === child) this.#child = undefined;
    });
  }

  async start(): Promise<void> {
    this.launch();
    await this.waitUntilReady();
  }

  async waitUntilReady(): Promise<void> {
    const child = this.#child;
    const allowed = this.#command.startWithin ?? usualStartDeadline;
    const limit = performance.now() + allowed;
    while (performance.now() < limit) {
      if (child === undefined || this.#child !== child || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`${this.#command.name} ended before it answered:\n${this.log()}`);
      }
      if (await this.#command.ready()) return;
      await delay(pollEvery);
    }
    await this.kill();
    throw new Error(`${this.#command.name} did not answer within ${allowed / 1000} s:\n${this.log()}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGTERM");
    await this.ended();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
  }

  async ended(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const impatient = setTimeout(() => child.kill("SIGKILL"), stopDeadline);
    await once(child, "close");
    clearTimeout(impatient);
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child === undefined) throw new Error(`${this.#command.name} does not run`);
    this.#child.kill(name);
  }

  log(): string {
    return this.#lines.join("");
  }

  #keep(text: string): void {
    this.#command.heard?.(text);
    this.#lines.push(...text.split(/(?<=\n)/));
    this.#lines.splice(0, this.#lines.length - keptLines);
  }
}
