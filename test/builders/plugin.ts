import { zipSync } from "fflate";

export interface PluginOptions {
  readonly name: string;
  readonly version?: string;
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly author?: string;
  readonly tags?: readonly string[];
  readonly category?: string;
  /** Further lines of plugin.yaml, e.g. `homepage: https://example.com`. */
  readonly more?: readonly string[];
  /** Further files by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Bytes of incompressible ballast, for packages of a certain size. */
  readonly ballast?: number;
}

/** The text of a plugin.yaml that keeps every rule. */
export function pluginYaml(options: PluginOptions): string {
  const { name, version = "1.0.0", type = "tool", title = name, description = `What ${name} does` } = options;
  return [
    `name: ${name}`,
    `version: ${version}`,
    `type: ${type}`,
    `title: ${JSON.stringify(title)}`,
    `description: ${JSON.stringify(description)}`,
    `category: ${options.category ?? "utility"}`,
    `author:\n  name: ${JSON.stringify(options.author ?? "Ann Author")}`,
    "license: MIT",
    `entry_point: ${name.replace(/[^a-z0-9]/g, "_")}:Plugin`,
    `tags: [${(options.tags ?? []).map((tag) => JSON.stringify(tag)).join(", ")}]`,
    ...(options.more ?? []),
    "",
  ].join("\n");
}

/** A package as the setup guide describes it: plugin.yaml, README.md and LICENSE at the root of a zip. */
export function pluginZip(options: PluginOptions): Uint8Array {
  const text = (content: string | Uint8Array): Uint8Array =>
    typeof content === "string" ? new TextEncoder().encode(content) : content;
  const files: Record<string, Uint8Array> = {
    "plugin.yaml": text(pluginYaml(options)),
    "README.md": text(`# ${options.title ?? options.name}\n\n${options.description ?? "Does a thing."}\n`),
    LICENSE: text("MIT License\n"),
    "src/plugin.py": text("class Plugin:\n    pass\n"),
  };
  for (const [path, content] of Object.entries(options.files ?? {})) files[path] = text(content);
  if (options.ballast !== undefined) files["assets/ballast.bin"] = noise(options.ballast, options.name);
  return zipSync(files, { mtime: "2026-01-01T00:00:00", level: 6 });
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(size: number, seed: string): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = [...seed].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) >>> 0, 2166136261);
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}
