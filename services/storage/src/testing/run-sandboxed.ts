import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { inheritedDescriptors } from "../plugin-tests/descriptors.ts";
import { bindRootFileSystem } from "../plugin-tests/root-file-system.ts";
import { Sandbox } from "../plugin-tests/sandbox.ts";

// A process of its own: only such a one has descriptors that Node did not open, and can be killed. Its arguments are an
// empty folder and a command. It says the descriptors that it was given, a line of hyphens, and what the command says.
const [parent = "", ...command] = process.argv.slice(2);
const folder = join(parent, "run");
await mkdir(folder);
const limits = { seconds: 10, memoryBytes: 256 * 1024 ** 2, processes: 64, diskBytes: 1024 ** 2 };
const sandbox = new Sandbox(await bindRootFileSystem("/"), limits);
await sandbox.prepare(folder);
process.stdout.write(`${(await inheritedDescriptors()).join("\n")}\n----\n`);
await sandbox.run(folder, command, {
  onOutput: (chunk) => process.stdout.write(chunk),
  timeUp: AbortSignal.timeout(600_000),
  signal: new AbortController().signal,
});
