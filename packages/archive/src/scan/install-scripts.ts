import type { Finding } from "../inspection.ts";

const scripts = ["preinstall", "install", "postinstall"] as const;

/**
 * Scripts of the root `package.json` that run on the machine of whoever installs the package, whatever its format.
 * What is no JSON is found nothing in: then nothing can install it either.
 */
export function scanInstallScripts(text: string, file: string): readonly Finding[] {
  const manifest = parse(text);
  const declared = record(record(manifest).scripts);
  return scripts
    .filter((name) => typeof declared[name] === "string" && declared[name].trim() !== "")
    .map((name) => ({
      rule: "npm-install-script",
      severity: "medium",
      message: `The package runs a script of its own when it is installed: ${name}; do what it does when the package is used, or ship the result`,
      file,
      pointer: `/scripts/${name}`,
    }));
}

/** npm builds a package with a `binding.gyp` at its root when it is installed, without any script of its own. */
export function bindingFinding(file: string): Finding {
  return {
    rule: "npm-install-script",
    severity: "medium",
    message: "npm builds native code by this file when the package is installed; ship what it builds",
    file,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
