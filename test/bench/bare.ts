/**
 * The yardstick: bare `node:http` that answers with given bytes. Started as a process of its own with an IPC channel:
 * it is sent `{path, headers, body (base64)}[]`, answers its port, and adds further rows as they come.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface BareRow {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** base64 */
  readonly body: string;
}

const rows = new Map<string, { status: number; headers: Record<string, string>; body: Buffer }>();

const server = createServer((request, response) => {
  const row = rows.get(`${request.method} ${request.url}`);
  request.resume();
  request.once("end", () => {
    if (row === undefined) response.writeHead(404).end();
    else response.writeHead(row.status, row.headers).end(row.body);
  });
});

process.on("message", (message: BareRow[]) => {
  for (const { method, path, status, headers, body } of message) {
    const bytes = Buffer.from(body, "base64");
    rows.set(`${method} ${path}`, {
      status,
      headers: { ...headers, "content-length": String(bytes.length) },
      body: bytes,
    });
  }
  process.send?.({ rows: rows.size });
});
process.on("disconnect", () => process.exit(0));

server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
