import { openMongoDocuments } from "@registry/documents/mongodb";
import { systemClock } from "@registry/kit";
import { Limits } from "@registry/limits";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { missing, mongo, stopServers } from "../servers/index.ts";

afterAll(stopServers);

describe.skipIf(missing("mongo"))("limits on a MongoDB server", () => {
  it("grant exactly as many however many replicas race, each with a connection of its own", async () => {
    const server = await mongo();
    const open = async (): Promise<Limits> => {
      const documents = await openMongoDocuments({ url: server.url, database: "limits", timeoutMs: 20_000 });
      onTestFinished(() => documents.close());
      return Limits.open(documents, systemClock);
    };
    const replicas = await Promise.all([open(), open(), open()]);
    const at = new Date();
    for (const limit of [1, 2, 7, 20]) {
      const takes = Array.from({ length: limit + 10 }, (_, index) =>
        replicas[index % replicas.length]?.take(`race for ${limit}`, "all", { limit, windowSeconds: 60 }, at),
      );
      const waits = await Promise.all(takes);
      expect(waits.filter((seconds) => seconds === 0)).toHaveLength(limit);
      await replicas[0]?.giveBack(`race for ${limit}`, "all", { limit, windowSeconds: 60 }, at);
      expect(await replicas[1]?.peek(`race for ${limit}`, "all", { limit, windowSeconds: 60 }, at)).toBe(0);
    }
    await replicas[0]?.sweep(new Date(at.getTime() + 300_000));
    expect(await replicas[1]?.peek("race for 1", "all", { limit: 1, windowSeconds: 60 }, at)).toBe(0);
  });
});
