import { openMongoDocuments } from "@registry/documents/mongodb";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import {
  ada,
  hourMs,
  max,
  minuteMs,
  olga,
  sam,
  WebhookWorld,
} from "../../services/analytics/src/webhooks/testing/world.ts";
import { missing, mongo, stopServers } from "../servers/index.ts";

afterAll(stopServers);

describe.skipIf(missing("mongo"))("webhooks on a MongoDB server", () => {
  it("are made, told once by several replicas, tried again, listed and sent again", async () => {
    const { url } = await mongo();
    const documents = await openMongoDocuments({ url, database: "webhooks", timeoutMs: 20_000 });
    const world = await WebhookWorld.open({ LIMIT_WEBHOOKS_PER_OWNER: 3 }, documents);
    onTestFinished(async () => {
      await world.close();
      await documents.close();
    });
    for (let i = 0; i < 2; i++) await world.start();
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => world.create({}, sam)));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const each of made) {
      if (each.status === "fulfilled") await world.service.deleteWebhook({ id: each.value.id }, world.as(sam));
    }

    const { id } = await world.create({ organisation: "acme" }, max);
    world.receiver.answers = () => 500;
    const plugins = Array.from({ length: 10 }, (_, i) => `pump-${i}`);
    await Promise.all(plugins.map((plugin) => world.publish(plugin)));
    await world.attempts(id, 10);
    world.advance(6000);
    await world.attempts(id, 20);
    world.advance(4 * minuteMs);
    world.receiver.answers = () => 200;
    await world.publish("last");
    await world.until(() => expect(world.receiver.book.size).toBe(11));
    await world.until(async () => expect((await world.log(id)).every(({ state }) => state === "delivered")).toBe(true));
    expect(world.receiver.received).toHaveLength(31);

    const seen: string[] = [];
    let pageToken = "";
    do {
      const request = { webhookId: id, page: { pageSize: 4, pageToken } };
      const page = await world.service.listDeliveries(request, world.as(olga));
      seen.push(...page.deliveries.map(({ plugin }) => plugin));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect([seen[0], seen.length]).toEqual(["last", 11]);

    const [newest] = await world.log(id);
    await world.service.redeliver({ webhookId: id, deliveryId: newest?.id ?? "" }, world.as(olga));
    await world.attempts(id, 32);
    expect((await world.get(id))?.failingSince).toBeUndefined();
    const { webhooks } = await world.service.listWebhooks({ all: true }, world.as(ada));
    expect(webhooks.map((webhook) => webhook.id)).toEqual([id]);

    world.receiver.answers = () => 410;
    world.advance(hourMs);
    await world.publish("end");
    await world.until(async () => expect(await world.get(id)).toMatchObject({ state: "gone" }));
  });
});
