import { connect, type Socket } from "node:net";

/** A socket to send what no HTTP client would. */
export function rawSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Sends a text and reads until the other side closes, or has said what is waited for. */
export async function say(url: string, text: string, until?: RegExp): Promise<string> {
  const socket = await rawSocket(url);
  return new Promise((resolve) => {
    let heard = "";
    const done = (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
      if (until?.test(heard) === true) done();
    });
    socket.once("close", done).on("error", done);
    socket.write(text);
  });
}

export interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly content: string | Buffer;
}

export const boundary = "----------------test-boundary";

/** A multipart body to the byte. */
export function multipartBody(parts: readonly Part[]): Buffer {
  const chunks = parts.flatMap(({ name, filename, content }) => {
    const file = filename === undefined ? "" : `; filename="${filename}"\r\ncontent-type: application/octet-stream`;
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`;
    return [Buffer.from(head), Buffer.from(content), Buffer.from("\r\n")];
  });
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]);
}

export const formHeaders = { "content-type": `multipart/form-data; boundary=${boundary}` };
