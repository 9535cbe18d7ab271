import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "@registry/kit";
import { planProcess } from "../../packages/cli/src/plan.ts";
import { startRegistryProcess } from "../../packages/cli/src/registry-process.ts";
import { allSettings } from "../../packages/cli/src/settings.ts";
import { Actor } from "../e2e/actors.ts";

export interface Registry {
  readonly url: string;
  readonly admin: Actor;
  readonly anonymous: Actor;
  readonly dataDir: string;
  publisher(username: string): Promise<Actor>;
  close(): Promise<void>;
}

/** All services of a registry in this process, on a folder of its own, reached over HTTP. */
export async function startRegistry(given: Record<string, string> = {}): Promise<Registry> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-"));
  const values = new Map(
    Object.entries({
      DATA_DIR: dataDir,
      PORT: "0",
      GRPC_PORT: "0",
      LOG_LEVEL: "silent",
      RATE_LIMIT_LOGINS: "0",
      ...given,
    }),
  );
  const settings = readSettings(allSettings, { values, fromFile: new Set() });
  const running = await startRegistryProcess(planProcess([], settings), settings);
  const url = running.httpUrl ?? "";
  const admin = new Actor("admin", url, readFileSync(join(dataDir, "admin-token"), "utf8").trim());
  return {
    url,
    admin,
    anonymous: new Actor("", url),
    dataDir,
    async publisher(username) {
      const password = "a long enough password";
      const user = { username, email: `${username}@example.org`, password, role: "publisher" };
      await admin.sends("POST", "/api/v1/users", user);
      const session = await admin.sends("POST", "/api/v1/auth/login", { username, password });
      return new Actor(username, url, session.json<{ token: string }>().token);
    },
    async close() {
      await running.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
