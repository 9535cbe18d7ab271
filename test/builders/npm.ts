import { zipSync } from "fflate";

/** An npm package in a zip: a format whose names may have a namespace. */
export function npmZip({ name, version = "1.0.0" }: { readonly name: string; readonly version?: string }): Uint8Array {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const manifest = { name, version, description: `What ${name} does`, license: "MIT" };
  const files = { "package.json": text(JSON.stringify(manifest)), "README.md": text(`# ${name}\n`) };
  return zipSync(files, { mtime: "2026-01-01T00:00:00", level: 6 });
}
