import { python } from "../../packages/archive/src/test-support/tools.ts";
import { type PluginOptions, pluginYaml } from "./plugin.ts";

/** Reads `{"path": "text"}` from standard input and writes a zip with Python's zipfile, as publishers do by hand. */
const zipScript = `
import io, json, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
    for path, text in json.load(sys.stdin).items():
        archive.writestr(path, text)
sys.stdout.buffer.write(out.getvalue())
`;

/**
 * Packs as AgentiCraft's client does: the plugin's folder from the disk below its name, then the manifest once more from a
 * temporary file. Files come with owners, folders and times in fractions of a second, which are pax headers.
 */
const clientScript = `
import io, json, os, sys, tarfile, tempfile
told = json.load(sys.stdin)
name = told["name"]
with tempfile.TemporaryDirectory() as root:
    folder = os.path.join(root, "plugin")
    for path, text in told["files"].items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
    again = os.path.join(root, "manifest")
    with open(again, "w", encoding="utf-8") as file:
        file.write(told["manifest"])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(folder, arcname=name)
        archive.add(again, arcname=name + "/plugin.yaml")
    sys.stdout.buffer.write(out.getvalue())
`;

function filesOf(options: PluginOptions): Record<string, string> {
  return {
    "plugin.yaml": pluginYaml(options),
    "README.md": `# ${options.title ?? options.name}\n`,
    LICENSE: "MIT License\n",
    "CHANGELOG.md": "# Changes\n\nThe first.\n",
    "src/plugin.py": "class Plugin:\n    pass\n",
  };
}

/** A package in a zip as Python's zipfile writes it. */
export function pythonZip(options: PluginOptions): Uint8Array {
  return new Uint8Array(python(zipScript, [], { input: JSON.stringify(filesOf(options)) }));
}

/** What AgentiCraft's Python client sends: a gzip tar below `{name}/` in which `plugin.yaml` occurs twice. */
export function clientTarGz(options: PluginOptions): Uint8Array {
  const told = { name: options.name, files: filesOf(options), manifest: pluginYaml(options) };
  return new Uint8Array(python(clientScript, [], { input: JSON.stringify(told) }));
}

/** The manifest part of that client for a plugin with a homepage: URLs arrive as Python objects, in tags of their own. */
export function pythonTaggedManifest(options: PluginOptions): string {
  return [
    pluginYaml({ ...options, more: [] }),
    "homepage: !!python/object:pydantic_core._pydantic_core.Url",
    "  _url: https://example.com/",
    "repository: !!python/object/new:pydantic.networks.HttpUrl",
    "- https://example.com/repository",
    "published_at: null",
    "",
  ].join("\n");
}
