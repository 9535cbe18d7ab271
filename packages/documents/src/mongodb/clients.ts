import { MongoClient } from "mongodb";

/** An index is built over all documents there are: that may take longer than any call. */
export const indexTimeoutMs = 60_000;

export interface ClientOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly appName: string;
}
export interface SharedClient {
  readonly client: MongoClient;
  /** The last one to release closes the connections. Idempotent. */
  release(): Promise<void>;
}

interface Entry {
  readonly client: MongoClient;
  users: number;
}

/** One client, hence one pool of connections, for all databases at one address, counted by its users. */
export class MongoClients {
  readonly #entries = new Map<string, Entry>();

  /** The client is not connected: await its `connect` before each use, which costs nothing once it is. */
  acquire({ url, timeoutMs, appName }: ClientOptions): SharedClient {
    const key = JSON.stringify([url, timeoutMs, appName]);
    const entry = this.#entries.get(key) ?? { client: createClient(url, timeoutMs, appName), users: 0 };
    this.#entries.set(key, entry);
    entry.users += 1;
    let released = false;
    return {
      client: entry.client,
      release: async () => {
        if (released) return;
        released = true;
        entry.users -= 1;
        if (entry.users > 0) return;
        this.#entries.delete(key);
        await entry.client.close();
      },
    };
  }
}

function createClient(url: string, timeoutMs: number, appName: string): MongoClient {
  return new MongoClient(url, {
    appName,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // The longest that one command may take, which is to build an index; calls have a deadline of their own.
    socketTimeoutMS: Math.max(timeoutMs, indexTimeoutMs),
    writeConcern: { w: "majority", journal: true },
    // Retried writes are sent only to servers that announce sessions; others get plain ones.
    retryWrites: true,
    promoteLongs: true,
  });
}

/** The clients of this process. */
export const sharedClients = new MongoClients();
