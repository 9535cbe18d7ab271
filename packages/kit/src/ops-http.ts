import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";
import type { ReadyState } from "./readiness.ts";

export interface OpsHttp {
  readonly port: number;
  close(): Promise<void>;
}

/** Nothing here is a page, and nothing is to be kept. */
const headers = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/**
 * Health, readiness and metrics of a process without the gateway: `/health`, `/ready` (200 or 503) and `/metrics`.
 * @param ready whether the process may be sent work, and its checks by name
 */
export async function startOpsHttp(
  address: { readonly host: string; readonly port: number },
  metrics: Metrics,
  ready: () => Promise<ReadyState>,
): Promise<OpsHttp> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, async (request, response) => {
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { ...headers, "content-type": type }).end(body);
    };
    try {
      const path = request.url?.split("?")[0];
      if (path === "/health") return send(200, "application/json", JSON.stringify({ status: "healthy" }));
      if (path === "/metrics") return send(200, metrics.registry.contentType, await metrics.registry.metrics());
      if (path !== "/ready") return send(404, "application/json", JSON.stringify({ detail: "Not found" }));
      const state = await ready();
      const status = state.ready ? "ready" : "not ready";
      send(state.ready ? 200 : 503, "application/json", JSON.stringify({ status, checks: state.checks }));
    } catch {
      send(500, "application/json", JSON.stringify({ detail: "Not available" }));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
