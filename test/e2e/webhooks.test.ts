import { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import { createChannel, createClientFactory, Metadata } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Receiver, verify } from "../../services/analytics/src/webhooks/testing/receiver.ts";
import { pluginZip } from "../builders/plugin.ts";
import { registerSecret } from "../secrets/record.ts";
import { missingFor, type StackKind } from "../stack/index.ts";
import type { Actor } from "./actors.ts";
import { createWorld, type World } from "./world.ts";

const toldWithin = { timeout: 20_000, interval: 100 };

/** What somebody's receiver is told, by all of a registry's services together. */
function story(world: World): void {
  const receivers: Receiver[] = [];
  let channel: ReturnType<typeof createChannel>;
  beforeAll(() => {
    channel = createChannel(world.stack.grpc.analytics[0] ?? "");
  });
  afterAll(async () => {
    channel.close();
    for (const receiver of receivers) await receiver.close();
  });

  const create = async (actor: Actor, organisation = "") => {
    const receiver = await Receiver.open();
    receivers.push(receiver);
    const client = createClientFactory().create(WebhookServiceDefinition, channel);
    const metadata = Metadata({ authorization: `Bearer ${actor.token}` });
    const { webhook, secret } = await client.createWebhook({ url: receiver.url(), organisation }, { metadata });
    registerSecret("webhook secret", secret);
    registerSecret("webhook secret", secret.slice("whsec_".length));
    const log = async () => {
      const request = { webhookId: webhook?.id ?? "" };
      return (await client.listDeliveries(request, { metadata })).deliveries;
    };
    return { receiver, secret, log };
  };

  it("tells an organisation of what is its own, and others of what they may see", async () => {
    const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
    const org = world.name("org");
    expect((await owner.request("POST", "/api/v1/orgs", { json: { name: org } })).status).toBe(201);
    const [own, others] = [await create(owner, org), await create(stranger)];
    const [hidden, shown] = [`@${org}/${world.name("hidden")}`, world.name("shown")];
    const base = hidden.slice(hidden.indexOf("/") + 1);
    const fields = { name: hidden, visibility: "private" };
    expect((await owner.publishes(pluginZip({ name: base }), { fields })).status).toBe(201);
    expect((await owner.publishes(pluginZip({ name: shown }))).status).toBe(201);
    const told = ({ receiver }: typeof own) => receiver.told.filter((text) => text.startsWith("release."));
    await vi.waitFor(() => expect(told(others)).toEqual([`release.published ${shown}`]), toldWithin);
    await vi.waitFor(
      () => expect(new Set(told(own))).toEqual(new Set([`release.published ${hidden}`, `release.published ${shown}`])),
      toldWithin,
    );
    for (const { receiver, secret } of [own, others]) {
      for (const received of receiver.received) verify(secret, received);
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(receiver.received.length);
    }
    expect(JSON.stringify(others.receiver.received)).not.toContain(base);
    expect(JSON.stringify(await others.log())).not.toContain(base);
    await vi.waitFor(async () => {
      const states = (await own.log()).map(({ state }) => state);
      expect([states.length >= 2, new Set(states)]).toEqual([true, new Set(["delivered"])]);
    }, toldWithin);
  });
}

const kinds: StackKind[] = ["embedded", "five"];
describe.each(kinds)("webhooks of a registry, %s", (kind) => {
  describe.skipIf(missingFor(kind))("with receivers on this machine", () => {
    story(createWorld(kind, { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" }));
  });
});
