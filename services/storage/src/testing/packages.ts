import { createHash, randomBytes } from "node:crypto";
import { gzip, type SourceFile, writeTar } from "@registry/archive";
import type { UploadPackageRequest } from "@registry/contracts/storage";
import { zipSync } from "fflate";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export interface PackageOptions {
  readonly name?: string;
  readonly version?: string;
  readonly extra?: Readonly<Record<string, Uint8Array>>;
}

/** The files of an honest AgentiCraft package. */
export function pluginFiles(options: PackageOptions = {}): Record<string, Uint8Array> {
  const { name = "weather", version = "1.0.0", extra = {} } = options;
  const manifest = [
    `name: ${name}`,
    `version: ${version}`,
    "type: tool",
    "title: Weather",
    "description: Tells the weather",
    "author:",
    "  name: Ada",
    "entry_point: weather:Tool",
    "",
  ].join("\n");
  return {
    "plugin.yaml": text(manifest),
    "README.md": text("# Weather\n"),
    LICENSE: text("MIT\n"),
    "src/weather.py": text("class Tool:\n    pass\n"),
    ...extra,
  };
}

export function zipOf(files: Record<string, Uint8Array>, level: 0 | 6 = 6): Buffer {
  return Buffer.from(zipSync(files, { level }));
}

export async function tarGzOf(files: Record<string, Uint8Array>, topFolder: string): Promise<Buffer> {
  const sources = Object.entries(files).map(
    ([path, bytes]): SourceFile => ({
      path,
      size: bytes.length,
      executable: false,
      read: async function* () {
        yield Buffer.from(bytes);
      },
    }),
  );
  const parts: Buffer[] = [];
  for await (const part of gzip(writeTar(sources, topFolder))) parts.push(part);
  return Buffer.concat(parts);
}

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Bytes that do not compress. */
export const noise = (size: number): Buffer => randomBytes(size);

export interface SendOptions {
  readonly size?: number;
  readonly sha256?: string;
  readonly chunkBytes?: number;
}

type Part = { readonly part: NonNullable<UploadPackageRequest["part"]> };

/** An upload's messages: the header with its promises, then the chunks. */
export async function* messagesOf(bytes: Uint8Array, options: SendOptions = {}): AsyncGenerator<Part> {
  const { size = 0, sha256 = "", chunkBytes = 256 * 1024 } = options;
  yield { part: { $case: "header", value: { size, sha256 } } };
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield { part: { $case: "chunk", value: bytes.subarray(at, at + chunkBytes) } };
  }
}
