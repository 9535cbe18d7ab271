import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { quote, unavailable } from "@registry/domain";
import { anySignal, Gate, type Logger, settingsError } from "@registry/kit";
import type { StorageConfig } from "../config.ts";
import { pluginTestsBusy } from "../model/errors.ts";
import type { Workspace } from "../work/workspace.ts";
import type { SandboxLimits } from "./limits.ts";
import { type TestsReport, type Verdict, verdictOf, worstOf } from "./outcome.ts";
import { OutputLog } from "./output.ts";
import { bindRootFileSystem } from "./root-file-system.ts";
import { type Interpreters, planFor, type Runner } from "./runners.ts";
import { Sandbox } from "./sandbox.ts";
import { isArchitectureKnown } from "./seccomp.ts";
import { type Trial, tryOut } from "./trial.ts";

type Settings = Pick<
  StorageConfig,
  | "PLUGIN_TESTS_SECONDS"
  | "PLUGIN_TESTS_MEMORY"
  | "PLUGIN_TESTS_PROCESSES"
  | "PLUGIN_TESTS_DISK"
  | "PLUGIN_TESTS_CONCURRENCY"
  | "PLUGIN_TESTS_ROOT"
>;

export type Unpack = (
  folders: { readonly scratch: string; readonly target: string },
  signal: AbortSignal,
) => Promise<readonly string[]>;

const waitingPerPlace = 32;

/** Runs the tests that packages bring, a few at a time, in a sandbox that was seen to work. */
export class PluginTests {
  readonly #sandbox: Sandbox;
  readonly #interpreters: Interpreters;
  readonly #gate: Gate;
  readonly #timeoutMs: number;
  readonly #workspace: Workspace;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  private constructor(
    sandbox: Sandbox,
    interpreters: Interpreters,
    settings: Settings,
    surroundings: { readonly workspace: Workspace; readonly log: Logger },
  ) {
    const places = settings.PLUGIN_TESTS_CONCURRENCY;
    this.#sandbox = sandbox;
    this.#interpreters = interpreters;
    this.#gate = new Gate(places, places * waitingPerPlace, pluginTestsBusy);
    this.#timeoutMs = settings.PLUGIN_TESTS_SECONDS * 1000;
    this.#workspace = surroundings.workspace;
    this.#log = surroundings.log;
  }

  /** @throws kind `invalid_argument`, reason `INVALID_SETTINGS`, where no sandbox or nothing to run tests with is there */
  static async open(settings: Settings, workspace: Workspace, log: Logger): Promise<PluginTests> {
    if (process.platform !== "linux" || !isArchitectureKnown(process.arch)) {
      throw unusable("the sandbox needs Linux on x86-64 or arm64");
    }
    const rootFileSystem = await bindRootFileSystem(settings.PLUGIN_TESTS_ROOT);
    if (rootFileSystem.length === 0) {
      const reason = "no root file system is there; give a folder that holds usr, bin and lib, readable by everybody";
      throw settingsError([{ pointer: "PLUGIN_TESTS_ROOT", reason }]);
    }
    const sandbox = new Sandbox(rootFileSystem, limitsOf(settings));
    const trial = await workspace.use((folder) => tryOut(sandbox, folder));
    const interpreters = interpretersOf(trial, settings.PLUGIN_TESTS_ROOT);
    log.info({ interpreters }, "tests of plugins are run in a sandbox");
    return new PluginTests(sandbox, interpreters, settings, { workspace, log });
  }

  /**
   * @param unpack writes a package's files to the folder `target` and says their paths; `scratch` is a folder for its own use
   * @throws the signal's reason; what `unpack` throws; kind `unavailable` (`PLUGIN_TESTS_BUSY`, or at the end of the service)
   */
  async run(unpack: Unpack, callerSignal: AbortSignal): Promise<TestsReport> {
    const signal = anySignal(callerSignal, this.#closing.signal);
    const running = this.#gate.run(signal, () =>
      this.#workspace.use(async (scratch) => {
        const folder = join(scratch, "sandbox");
        await mkdir(folder);
        const paths = await unpack({ scratch, target: await this.#sandbox.prepare(folder) }, signal);
        return await this.#runAll(folder, paths, signal);
      }),
    );
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Ends what is under way or waiting with kind `unavailable`, and waits until nothing of it is left. */
  async close(): Promise<void> {
    this.#closing.abort(unavailable("The storage service"));
    await Promise.allSettled(this.#running);
  }

  async #runAll(folder: string, paths: readonly string[], signal: AbortSignal): Promise<TestsReport> {
    const { runners, missing } = planFor(paths, this.#interpreters);
    const verdicts: Verdict[] = missing.map((language) => ({
      result: "error",
      summary: `This registry cannot run tests in ${language}`,
    }));
    const log = new OutputLog();
    const timeUp = AbortSignal.timeout(this.#timeoutMs);
    for (const runner of runners) verdicts.push(await this.#runOne(folder, runner, log, { timeUp, signal }));
    if (verdicts.length === 0) verdicts.push({ result: "error", summary: "No runner for what tests/ holds" });
    return { ...worstOf(verdicts), log: log.text() };
  }

  async #runOne(
    folder: string,
    { name, command }: Runner,
    log: OutputLog,
    signals: { readonly timeUp: AbortSignal; readonly signal: AbortSignal },
  ): Promise<Verdict> {
    log.note(`$ ${command.slice(0, 8).join(" ")}${command.length > 8 ? " …" : ""}`);
    const ended = await this.#sandbox.run(folder, command, { ...signals, onOutput: (chunk) => log.write(chunk) });
    if (ended.how === "not started") this.#log.error({ why: ended.why }, "the sandbox for plugin tests did not start");
    return verdictOf(name, ended, log.text());
  }
}

function limitsOf(settings: Settings): SandboxLimits {
  return {
    seconds: settings.PLUGIN_TESTS_SECONDS,
    memoryBytes: settings.PLUGIN_TESTS_MEMORY,
    processes: settings.PLUGIN_TESTS_PROCESSES,
    diskBytes: settings.PLUGIN_TESTS_DISK,
  };
}

function interpretersOf(trial: Trial, root: string): Interpreters {
  if (!trial.works) {
    throw unusable(
      `a trial run in the sandbox failed (${quote(trial.why.slice(0, 60))}). Install bubblewrap 0.8 or newer and util-linux, ` +
        "let the service make user namespaces (in a container: by its security profile), and do not set the limits of " +
        "PLUGIN_TESTS_… too low for an interpreter to start",
    );
  }
  if (trial.interpreters.python === undefined && trial.interpreters.node === undefined) {
    throw unusable(`neither python3 nor node 20.10 or newer is there to run tests with; install one in ${root}`);
  }
  return trial.interpreters;
}

const unusable = (why: string): Error =>
  settingsError([{ pointer: "PLUGIN_TESTS", reason: `${why}; or set PLUGIN_TESTS=off` }]);
