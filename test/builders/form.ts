/** A part of a multipart form. */
export interface Part {
  readonly field: string;
  readonly content: Uint8Array | string;
  /** Makes it a file. */
  readonly filename?: string;
  readonly type?: string;
}

/** A multipart body and the headers that go with it. */
export interface Form {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

const boundary = "----registry-test-3b1f0c5d7e";

/** Writes a form byte by byte, so that tests know what is sent, and may cut it. */
export function multipart(parts: readonly Part[]): Form {
  const chunks = parts.flatMap(({ field, content, filename, type }) => {
    const named = filename === undefined ? "" : `; filename="${filename}"`;
    const typed = type === undefined ? "" : `content-type: ${type}\r\n`;
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${field}"${named}\r\n${typed}\r\n`;
    return [Buffer.from(head), Buffer.from(content), Buffer.from("\r\n")];
  });
  const body = new Uint8Array(Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]));
  return { body, headers: { "content-type": `multipart/form-data; boundary=${boundary}` } };
}

/** The package part of a publish as browsers and curl send it. */
export function packagePart(bytes: Uint8Array): Part {
  return { field: "package", content: bytes, filename: "package.bin", type: "application/octet-stream" };
}

/** The form of AgentiCraft's client: the archive first, then its manifest. */
export function clientForm(bytes: Uint8Array, manifest: string): Form {
  return multipart([
    { field: "package", content: bytes, filename: "package.tar.gz", type: "application/x-tar" },
    { field: "manifest", content: manifest, filename: "plugin.yaml", type: "application/octet-stream" },
  ]);
}
