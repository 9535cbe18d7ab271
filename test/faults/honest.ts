import { appendFileSync, cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Collection, openDocuments } from "@registry/documents";
import { pluginZip } from "../builders/plugin.ts";
import { Actor } from "../e2e/actors.ts";
import { sha256 } from "../e2e/http.ts";
import { temporaryFolder } from "../servers/cleanup.ts";
import { closeWithServers } from "../servers/index.ts";
import { type Stack, startStack } from "../stack/index.ts";
import { checkInvariants } from "./invariants/index.ts";
import { type Entry, Journal } from "./invariants/journal.ts";

export const version = "1.0.0";
const names = ["first-plugin", "second-plugin", "third-plugin"] as const;
const downloadsOfEach = 3;
const settleMs = 1000;

/** A small registry of which everything is known, in which a test plants what does not belong there. */
export class HonestRegistry {
  readonly stack: Stack;
  /** Everything that happened in it. */
  readonly entries: readonly Entry[];
  /** Where it prints to. */
  readonly log: string;
  readonly dataDir: string;
  readonly #kept: string;
  #changed = false;

  private constructor(stack: Stack, entries: readonly Entry[], log: string) {
    this.stack = stack;
    this.entries = entries;
    this.log = log;
    this.dataDir = join(stack.folder, "data-registry");
    this.#kept = join(stack.folder, "honest");
  }

  /** `stopServers` ends it. */
  static async start(): Promise<HonestRegistry> {
    const folder = temporaryFolder("honest");
    closeWithServers(async () => folder.remove());
    const log = join(folder.path, "log");
    // What is planted must not be collected before it is looked at.
    const settings = { GC_INTERVAL_SECONDS: "0" };
    const stack = await startStack("embedded", { settings, heard: (_, text) => appendFileSync(log, text) });
    const entries = await useIt(new Actor("admin", stack.baseUrls[0] ?? "", stack.adminToken));
    return new HonestRegistry(stack, entries, log);
  }

  /** Has it come to rest, and keeps what it holds then. */
  async keep(): Promise<void> {
    await this.stack.stop();
    cpSync(this.dataDir, this.#kept, { recursive: true });
    await this.stack.restart("registry");
  }

  /** @returns the ids of the invariants that do not hold */
  async broken(told: readonly Entry[] = this.entries, secrets = [this.stack.adminToken]): Promise<string[]> {
    const [url = ""] = this.stack.baseUrls;
    const looked = { entries: told, dataDir: this.dataDir, logs: [this.log], secrets, settleMs };
    const verdicts = await checkInvariants({ url, ...looked });
    const open = verdicts.filter(({ holds }) => holds === undefined).map(({ id }) => `${id} was not judged`);
    return [...open, ...verdicts.filter(({ holds }) => holds === false).map(({ id }) => id)];
  }

  /** Changes what it holds, while it does not run; what was planted before is gone. */
  async plant(change: () => Promise<void> | void): Promise<void> {
    await this.#restore();
    this.#changed = true;
    await change();
    await this.stack.restart("registry");
  }

  /** Takes back what was planted. */
  async restored(): Promise<void> {
    if (!this.#changed) return;
    await this.#restore();
    this.#changed = false;
    await this.stack.restart("registry");
  }

  /** Changes documents of a service. Only while the registry does not run. */
  async change<T extends { readonly _id: string | number }>(
    service: string,
    name: string,
    work: (collection: Collection<T>) => Promise<unknown>,
  ): Promise<void> {
    const documents = await openDocuments({ dataDir: this.dataDir, service });
    try {
      await work(await documents.collection<T>({ name, indexes: [] }));
    } finally {
      await documents.close();
    }
  }

  /** The file of a plugin's only blob. */
  blobOf(name: string): string {
    const published = this.entries.find((entry) => entry.type === "publish" && entry.name === name);
    return this.blob(published?.type === "publish" ? published.sha256 : "");
  }

  blob(digest: string): string {
    return join(this.dataDir, "blobs", "blobs", "sha256", digest.slice(0, 2), digest);
  }

  async #restore(): Promise<void> {
    await this.stack.stop();
    rmSync(this.dataDir, { recursive: true });
    cpSync(this.#kept, this.dataDir, { recursive: true });
  }
}

/** Publishes, downloads, a refusal and a yank. */
async function useIt(admin: Actor): Promise<Entry[]> {
  const journal = new Journal();
  const publish = async (name: string, zip: Uint8Array): Promise<void> => {
    const { status } = await admin.publishes(zip);
    journal.add({ type: "publish", name, version, sha256: sha256(zip), status });
  };
  for (const name of names) {
    await publish(name, pluginZip({ name }));
    for (let times = 0; times < downloadsOfEach; times += 1) {
      const { status, bytes } = await admin.anonymously.fetches(name, version);
      const outcome = status === 200 ? "complete" : "refused";
      journal.add({ type: "download", name, version, outcome, sha256: sha256(bytes) });
    }
  }
  await publish(names[0], pluginZip({ name: names[0], ballast: 10 }));
  await admin.yanks(names[1], version);
  return journal.entries;
}
