import { chmod, mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { layout, sandboxArguments, sandboxUser } from "./command.ts";
import { inheritedDescriptors } from "./descriptors.ts";
import type { SandboxLimits } from "./limits.ts";
import type { Ended } from "./outcome.ts";
import { type RunOptions, SandboxProcess } from "./sandbox-process.ts";
import { seccompFilter } from "./seccomp.ts";

/** Runs commands of strangers: without network, without anything of the service, within limits. */
export class Sandbox {
  readonly #rootFileSystem: readonly string[];
  readonly #limits: SandboxLimits;
  readonly #isRoot = process.getuid?.() === 0;
  readonly #filter = seccompFilter(process.arch);

  /** @param rootFileSystem arguments that show it to the sandbox */
  constructor(rootFileSystem: readonly string[], limits: SandboxLimits) {
    this.#rootFileSystem = rootFileSystem;
    this.#limits = limits;
  }

  /**
   * Makes an empty folder ready for one run.
   * @returns the folder in it that the run will see, read-only, as `/package`
   */
  async prepare(folder: string): Promise<string> {
    const inside = join(folder, layout.package);
    await mkdir(inside);
    await Promise.all([
      ...[folder, inside].map((path) => chmod(path, 0o755)),
      writeReadable(join(folder, layout.filter), this.#filter),
      writeReadable(join(folder, layout.passwd), `tests:x:${sandboxUser}:${sandboxUser}::/tmp/home:/bin/sh\n`),
      writeReadable(join(folder, layout.group), `tests:x:${sandboxUser}:\n`),
    ]);
    return inside;
  }

  /**
   * @param folder made by `prepare`
   * @throws the signal's reason
   */
  async run(folder: string, command: readonly string[], options: Omit<RunOptions, "limits">): Promise<Ended> {
    options.signal.throwIfAborted();
    const wanted = {
      folder,
      command,
      isRoot: this.#isRoot,
      rootFileSystem: this.#rootFileSystem,
      limits: this.#limits,
    };
    const filter = await open(join(folder, layout.filter), "r");
    const nothing = await open("/dev/null", "r");
    try {
      const descriptors = { filter: filter.fd, nothing: nothing.fd, inherited: await inheritedDescriptors() };
      const started = new SandboxProcess(sandboxArguments(wanted), descriptors, options.onOutput);
      return await started.run({ ...options, limits: this.#limits });
    } finally {
      await Promise.all([filter.close(), nothing.close()]);
    }
  }
}

/** Whatever the service's umask is, for the sandbox has another user. */
async function writeReadable(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(path, content);
  await chmod(path, 0o644);
}
