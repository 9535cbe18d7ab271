import { type Documents, openDocuments } from "@registry/documents";
import { MongoClients, openMongoDocuments } from "@registry/documents/mongodb";
import { isRegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type MongoServer, missing, mongo, stopServers } from "../servers/index.ts";

afterAll(stopServers);

const spec = {
  name: "accounts",
  indexes: [{ name: "by_email", keys: [["email", 1]], unique: true }],
} as const;
type Account = { readonly _id: number; readonly email?: string };

const kindOf = async (call: Promise<unknown>): Promise<unknown> =>
  await call.then(
    () => "fulfilled",
    (error: unknown) => (isRegistryError(error) ? error.kind : error),
  );

describe.skipIf(missing("mongo"))("documents on a MongoDB server that comes and goes", () => {
  let server: MongoServer;
  beforeAll(async () => {
    server = await mongo();
  });

  async function open(database: string, timeoutMs = 500): Promise<Documents> {
    const documents = await openMongoDocuments({ url: server.url, database, timeoutMs });
    onTestFinished(() => documents.close());
    return documents;
  }

  const answers = (documents: Documents): Promise<void> =>
    expect.poll(() => kindOf(documents.ping()), { timeout: 30_000 }).toBe("fulfilled");

  it("opens before the server is there, and serves once it is", async () => {
    await server.stop();
    const documents = await open("late");
    const accounts = await documents.collection<Account>(spec);
    expect(await kindOf(documents.ping())).toBe("unavailable");
    expect(await kindOf(accounts.findOne({ _id: 1 }))).toBe("unavailable");
    expect(await kindOf(accounts.insertOne({ _id: 1 }))).toBe("unavailable");

    await server.start();
    await answers(documents);
    await accounts.insertOne({ _id: 1, email: "a" });
    await expect(accounts.insertOne({ _id: 2, email: "a" })).rejects.toMatchObject({ index: "by_email" });
  });

  it("loses nothing acknowledged when the server is killed", async () => {
    const documents = await open("killed", 5_000);
    const accounts = await documents.collection<Account>({ name: "accounts", indexes: [] });
    const acknowledged: number[] = [];
    const writers = Promise.all(
      Array.from({ length: 200 }, (_, id) =>
        accounts.insertOne({ _id: id }).then(
          () => acknowledged.push(id),
          () => undefined,
        ),
      ),
    );
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
    await server.kill();
    await server.start();
    await writers;
    await answers(documents);
    const found = new Set((await accounts.find({})).map(({ _id }) => _id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  });

  it("does not say of documents that they were inserted or changed where the server was killed or was not there", async () => {
    const documents = await open("broken-off", 2_000);
    const accounts = await documents.collection<Account>({ name: "accounts", indexes: [] });
    const acknowledged: number[] = [];
    const outcomes = new Set<unknown>();
    let next = 0;
    let down = false;
    const write = async (): Promise<void> => {
      while (!down) {
        const some = [{ _id: next++ }, { _id: next++ }];
        const told = accounts.insertNew(some).then((inserted) => {
          for (const position of inserted) acknowledged.push(some[position]?._id ?? -1);
        });
        outcomes.add(await kindOf(told));
        const others = [next++, next++];
        const changes = others.map((_id) => ({ filter: { _id }, update: { $set: { changed: true } } }));
        const changed = accounts.updateEach(changes, { upsert: true }).then(() => acknowledged.push(...others));
        outcomes.add(await kindOf(changed));
      }
    };
    const writers = Promise.all(Array.from({ length: 12 }, write));
    await expect.poll(() => acknowledged.length).toBeGreaterThan(50);
    await server.kill();
    down = true;
    await writers;
    expect(await kindOf(accounts.insertNew([{ _id: -2 }]))).toBe("unavailable");
    expect(await kindOf(accounts.updateEach([{ filter: { _id: -2 }, update: { $set: { changed: true } } }]))).toBe(
      "unavailable",
    );
    await server.start();
    await answers(documents);
    const found = new Set((await accounts.find({})).map(({ _id }) => _id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    expect(outcomes).toEqual(new Set(["fulfilled", "unavailable"]));
  });

  it("keeps services of one server in databases of their own", async () => {
    const services = await Promise.all(
      ["auth", "catalog"].map((service) =>
        openDocuments({ mongodbUrl: `${server.url}/team`, dataDir: "unused", service }),
      ),
    );
    for (const documents of services) onTestFinished(() => documents.close());
    const [auth, catalog] = await Promise.all(services.map((documents) => documents.collection<Account>(spec)));
    await auth?.insertOne({ _id: 1 });
    expect(await catalog?.countDocuments({})).toBe(0);
    const database = await open("team_auth", 5_000);
    expect(await (await database.collection<Account>(spec)).countDocuments({})).toBe(1);
  });

  it("shares one client by address until its last user releases it", async () => {
    const clients = new MongoClients();
    const options = { url: server.url, timeoutMs: 2_000, appName: "sharing" };
    const [first, second] = [clients.acquire(options), clients.acquire(options)];
    expect(first.client).toBe(second.client);
    await first.release();
    await first.release();
    await second.client.db("shared").command({ ping: 1 });
    await second.release();
    const third = clients.acquire(options);
    expect(third.client).not.toBe(second.client);
    await third.release();
  });

  it("refuses calls after close", async () => {
    const documents = await open("closed", 5_000);
    const accounts = await documents.collection<Account>(spec);
    await documents.close();
    await documents.close();
    expect(await kindOf(accounts.find({}))).toBe("unavailable");
    expect(await kindOf(documents.ping())).toBe("unavailable");
  });
});

describe("a MongoDB URL that cannot be read", () => {
  it("is refused without echoing it", async () => {
    const url = "mongodb://user:secret@host:notaport/";
    const error: unknown = await openMongoDocuments({ url, database: "x" }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ reason: "INVALID_MONGODB_URL" });
    expect(String(error)).not.toContain("secret");
  });
});
