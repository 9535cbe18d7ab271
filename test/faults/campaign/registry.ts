import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Collection, MongoClient } from "mongodb";
import { closeWithServers } from "../../servers/index.ts";
import { reservePort } from "../../servers/ports.ts";
import { type Stack, startStack } from "../../stack/index.ts";
import { type Stores, startStores } from "../../stack/stores.ts";
import { Link } from "./link.ts";

/** A registry of ten processes on its three servers, to be hurt. */
export interface Registry {
  readonly stack: Stack;
  readonly stores: Stores;
  /** Between the analytics processes and NATS. */
  readonly link: Link;
  readonly duplicateSeconds: number;
  /** Files with all that each process printed. */
  readonly logs: readonly string[];
  /** Values that must stand in none of them. */
  readonly secrets: string[];
  /** Which releases analytics has noted as published, read past the services. */
  readonly noted: Collection<{ _id: string }>;
}

/** Lives as short as they may be, and a collection of garbage each second: nothing is spared by a grace time. */
const settings = {
  ACCESS_LOG: "false",
  CATALOG_SWEEP_SECONDS: "1",
  CATALOG_STAGED_SECONDS: "60",
  UPLOAD_LIFETIME_SECONDS: "60",
  GC_INTERVAL_SECONDS: "1",
  GC_GRACE_SECONDS: "0",
  GC_CONFIRM_SECONDS: "1",
  LIMIT_UPLOADS_PER_USER: "10000",
  POLICY_POPULAR_DOWNLOADS: "0",
  RATE_LIMIT_PUBLISHES: "0",
  RATE_LIMIT_WRITES: "0",
  RATE_LIMIT_TOKENS: "0",
  RATE_LIMIT_FAILED_CREDENTIALS: "0",
};

const secretSettings = ["SECRET_KEY", "S3_SECRET_KEY"] as const;

/** @param folder for logs. `stopServers` ends it all */
export async function startRegistry(folder: string, duplicateSeconds: number): Promise<Registry> {
  const stores = await startStores();
  const port = await reservePort();
  const link = await Link.open(port.port, Number(new URL(stores.nats.url).port));
  closeWithServers(async () => {
    link.close();
    port.release();
  });
  const logFolder = join(folder, "logs");
  mkdirSync(logFolder, { recursive: true });
  const logOf = (name: string): string => join(logFolder, `${name}.log`);
  const throughLink = { NATS_URL: `nats://127.0.0.1:${port.port}` };
  const stack = await startStack("five-by-two", {
    stores,
    settings: { ...settings, NATS_DUPLICATE_SECONDS: String(duplicateSeconds) },
    settingsOf: (name): Record<string, string> => (name.startsWith("analytics") ? throughLink : {}),
    heard: (name, text) => appendFileSync(logOf(name), text),
  });
  const { operatorSettings, adminToken, names } = stack;
  const secrets = [adminToken, ...secretSettings.flatMap((name) => operatorSettings[name] ?? [])];
  const noted = await openNoted(operatorSettings.MONGODB_URL ?? "");
  return { stack, stores, link, duplicateSeconds, logs: names.map(logOf), secrets, noted };
}

async function openNoted(url: string): Promise<Registry["noted"]> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000, socketTimeoutMS: 10_000 });
  closeWithServers(() => client.close());
  await client.connect();
  return client.db(`${new URL(url).pathname.slice(1)}_analytics`).collection<{ _id: string }>("publishes");
}
