import { sourceRules } from "./scan/source/rules.ts";

/** Of every check besides the scan of sources. */
const otherRules = [
  "bidi-control",
  "binary-code",
  "compiled-python",
  "embedded-code-not-scanned",
  "findings-cut",
  "hidden-characters",
  "ignored-value",
  "instruction-override",
  "instruction-suspicious",
  "invalid-mcp-server",
  "invalid-skill",
  "mcp-header-credential",
  "nested-archive",
  "no-entry",
  "no-package-json",
  "npm-install-script",
  "other-format",
  "python-path-hook",
  "scan-failed",
  "script-not-scanned",
  "secret-env-file",
  "secret-private-key",
  "secret-token",
  "secrets-partly-scanned",
  "shell-remote-code",
  "skill-description",
  "skill-name",
  "text-not-scanned",
  "too-many-skills",
  "top-folder-name",
  "unknown-field",
  "version-completed",
  "version-differs",
  "version-not-semver",
] as const;

/** Every rule that a finding of an inspection can carry, so that a policy which names another is seen to be mistaken. */
export const archiveRules: ReadonlySet<string> = new Set([...Object.keys(sourceRules), ...otherRules]);
