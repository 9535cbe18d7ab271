/**
 * Generates the contracts package from the .proto files; with `--check` it compares instead and fails where the
 * committed code is not what the contracts say, or where a contract breaks one that was released before.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const generated = join(root, "packages/contracts/src/gen");

function run(command: string, args: readonly string[]): void {
  execFileSync(join(root, "node_modules/.bin", command), args, { cwd: root, stdio: "inherit" });
}

function generateInto(folder: string): void {
  const ours = ["--path", "proto/registry"];
  run("buf", ["generate", "proto", "--template", "proto/buf.gen.yaml", "--output", folder, ...ours]);
  run("buf", ["build", "proto", "--as-file-descriptor-set", "-o", join(folder, "src/gen/descriptors.bin")]);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function differences(left: string, right: string): string[] {
  const all = new Set([...filesBelow(left), ...filesBelow(right)]);
  const content = (path: string): string | undefined => {
    try {
      return readFileSync(path).toString("base64");
    } catch {
      return undefined;
    }
  };
  return [...all].filter((file) => content(join(left, file)) !== content(join(right, file)));
}

/** Contracts only grow: compared with the newest commit of the main branch that has contracts. */
function checkBreaking(): void {
  let base: string;
  try {
    base = execFileSync("git", ["rev-list", "-1", "HEAD~1", "--", "proto"], {
      cwd: root,
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim();
  } catch {
    base = "";
  }
  if (base === "") {
    process.stdout.write("contracts: no earlier commit to compare with\n");
    return;
  }
  run("buf", ["breaking", "proto", "--against", `.git#ref=${base},subdir=proto`]);
}

const scratch = mkdtempSync(join(tmpdir(), "contracts-"));
try {
  generateInto(scratch);
  const fresh = join(scratch, "src/gen");
  if (process.argv.includes("--check")) {
    const changed = differences(generated, fresh);
    if (changed.length > 0) {
      process.stderr.write(`contracts: run npm run proto:generate and commit, these differ:\n${changed.join("\n")}\n`);
      process.exitCode = 1;
    } else {
      checkBreaking();
    }
  } else {
    rmSync(generated, { recursive: true, force: true });
    cpSync(fresh, generated, { recursive: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
