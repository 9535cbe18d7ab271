#!/usr/bin/env node
// Plain JavaScript for any Node: finds one that is new enough and runs the program on it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const oldest = 24;
const main = join(dirname(fileURLToPath(import.meta.url)), "../src/main.ts");

function newerNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const binary = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

if (Number(process.versions.node.split(".")[0]) >= oldest) {
  await import(main);
} else {
  const binary = newerNode();
  if (binary === undefined) {
    process.stderr.write(
      `This program needs Node ${oldest} or newer and runs on ${process.version}.\n` +
        "Run `npm ci` in the checkout (without --omit=dev or --ignore-scripts: it brings a newer Node along), or install one.\n",
    );
    process.exit(1);
  }
  const child = spawn(binary, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
