import type { Delivery } from "@registry/contracts/webhooks";
import { deriveKeys } from "@registry/kit";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verify } from "./testing/receiver.ts";
import { ada, hourMs, max, minuteMs, olga, rita, sam, WebhookWorld } from "./testing/world.ts";

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.open();
  await world.start();
});
afterEach(() => world.close());

const isDue =
  ({ first }: WebhookWorld) =>
  ({ nextAttemptAt }: Delivery): boolean =>
    nextAttemptAt !== undefined && nextAttemptAt <= first.surroundings.clock.now();

describe("a webhook", () => {
  it("is told of what happens from its creation on, signed as the standard wants it", async () => {
    await world.publish("before");
    await world.until(async () => {
      const { changes } = await world.first.changes.listChanges({ since: "" }, world.as(ada));
      expect(changes).toHaveLength(1);
    });
    const { id, secret } = await world.create();
    await world.publish("pump", "1.0.0");
    await world.requests(1);
    const [received] = world.receiver.received;
    if (received === undefined) throw new Error("nothing came");
    const { headers, body, json } = received;
    expect(new Webhook(secret).verify(body, headers)).toEqual(json);
    expect(json).toEqual({
      type: "release.published",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: { plugin: "pump", version: "1.0.0", sha256: "ab" },
    });
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "AgentiCraft-Registry/1.2.3",
      "webhook-id": expect.stringMatching(/^msg_[0-9a-f]{40}$/),
      connection: "close",
    });
    await world.until(async () => {
      const [delivery] = await world.log(id, olga);
      expect(delivery).toMatchObject({ id: received.id, state: "delivered", plugin: "pump", version: "1.0.0" });
      expect(delivery?.attempts).toMatchObject([{ status: 204, error: "" }]);
      expect(delivery?.nextAttemptAt).toBeUndefined();
    });
  });

  it("is told of what it asked for", async () => {
    const { id } = await world.create({ events: ["plugin.updated"], plugins: ["@acme/*", "pump"] });
    for (const plugin of ["pump", "@acme/tool", "@acme2/tool", "valve"]) {
      await world.publish(plugin);
      await world.update(plugin);
    }
    await world.requests(2);
    expect(world.receiver.told).toEqual(["plugin.updated pump", "plugin.updated @acme/tool"]);
    await world.until(async () =>
      expect((await world.log(id)).map(({ plugin }) => plugin)).toEqual(["@acme/tool", "pump"]),
    );
  });

  it("gets a ping whenever it is asked for, also while it is off, and once", async () => {
    const { id, secret } = await world.create({ events: ["plugin.deleted"] });
    await world.service.updateWebhook({ id, active: false }, world.as(olga));
    world.receiver.answers = () => 500;
    const { delivery } = await world.service.testWebhook({ id }, world.as(olga));
    await world.requests(1);
    const [received] = world.receiver.received;
    if (received === undefined) throw new Error("nothing came");
    expect(verify(secret, received)).toMatchObject({ type: "ping", data: { webhook: id } });
    await world.until(async () => expect(await world.log(id)).toMatchObject([{ id: delivery?.id, state: "failed" }]));
    expect(await world.get(id)).toMatchObject({ state: "paused", failingSince: undefined });
  });

  it("is not told later of what happened while it was paused", async () => {
    const { id } = await world.create();
    world.receiver.answers = () => 500;
    await world.publish("waits");
    await world.attempts(id, 1);
    const paused = await world.service.updateWebhook({ id, active: false }, world.as(olga));
    expect(paused.webhook?.state).toBe("paused");
    await world.publish("meanwhile");
    await world.until(async () => {
      const { changes } = await world.first.changes.listChanges({ since: "" }, world.as(ada));
      expect(changes).toHaveLength(2);
    });
    world.receiver.answers = () => 204;
    await world.service.updateWebhook({ id, active: true }, world.as(olga));
    await world.publish("after");
    world.advance(hourMs);
    await world.until(() => expect(world.receiver.told).toEqual(["release.published after"]));
    await world.until(async () => {
      const log = (await world.log(id)).map(({ plugin, state }) => `${plugin} ${state}`);
      expect(log).toEqual(["after delivered", "waits cancelled"]);
    });
  });
});

describe("a receiver", () => {
  it("that fails for an hour gets every event once it works, under the id that it had", async () => {
    const { id, secret } = await world.create();
    world.receiver.answers = () => 503;
    const plugins = Array.from({ length: 12 }, (_, i) => `pump-${i}`);
    for (const plugin of plugins) await world.publish(plugin);
    await world.attempts(id, 12);
    for (const [ms, requests] of [
      [6000, 24],
      [6 * minuteMs, 36],
      [34 * minuteMs, 48],
    ] as const) {
      world.advance(ms);
      await world.attempts(id, requests);
    }
    world.advance(20 * minuteMs);
    expect(await world.get(id)).toMatchObject({ state: "active", failingSince: expect.any(Date) });
    world.receiver.answers = () => 200;
    // The first that comes through brings the others along: none waits for the rest of its two hours.
    await world.publish("last");
    await world.until(() => expect(world.receiver.book.size).toBe(13));
    expect(new Set(world.receiver.told)).toEqual(
      new Set([...plugins, "last"].map((plugin) => `release.published ${plugin}`)),
    );
    expect(world.receiver.received).toHaveLength(61);
    for (const received of world.receiver.received) verify(secret, received);
    const bodies = Map.groupBy(world.receiver.received, (received) => received.id);
    for (const same of bodies.values()) expect(new Set(same.map(({ body }) => body)).size).toBe(1);
    await world.until(async () => {
      const log = await world.log(id);
      expect(log.map(({ state }) => state)).toEqual(Array(13).fill("delivered"));
    });
    expect((await world.get(id))?.failingSince).toBeUndefined();
  });

  it("is tried eight times in a bit more than a day, and then no more", async () => {
    const { id } = await world.create();
    world.receiver.answers = () => 500;
    await world.publish("pump");
    const minutes = [0, 5 / 60, 5, 30, 120, 300, 600, 600];
    for (const [i, waited] of minutes.entries()) {
      // A tenth more or less.
      world.advance(waited * minuteMs * 1.11);
      await world.attempts(id, i + 1);
    }
    await world.until(async () => {
      const [delivery] = await world.log(id);
      expect(delivery).toMatchObject({ state: "failed", nextAttemptAt: undefined });
      expect(delivery?.attempts).toHaveLength(8);
      expect(delivery?.attempts.at(-1)).toMatchObject({ status: 500, error: "answered 500" });
    });
    const [delivery] = await world.log(id);
    const [first, last] = [delivery?.attempts[0]?.time, delivery?.attempts.at(-1)?.time];
    const spent = (last?.getTime() ?? 0) - (first?.getTime() ?? 0);
    expect(spent).toBeGreaterThan(24 * hourMs);
    expect(spent).toBeLessThan(34 * hourMs);
    expect(await world.metrics()).toContain('registry_webhook_deliveries_total{outcome="given_up"} 1');
  });

  it("that says it is gone is left alone, which the audit log tells as the service's own deed", async () => {
    const { id } = await world.create({ organisation: "acme" });
    world.receiver.answers = () => 410;
    await world.publish("pump");
    await world.until(async () => expect(await world.get(id)).toMatchObject({ state: "gone" }));
    await world.publish("valve");
    await world.until(() => expect(world.audit.map(({ action }) => action)).toContain("webhook.disable"));
    expect(world.audit.at(-1)).toMatchObject({
      ...{ action: "webhook.disable", target: id, organisation: "acme", result: "ok" },
      ...{ actorType: "service", actor: "analytics" },
    });
    expect(JSON.parse(world.audit.at(-1)?.afterJson ?? "")).toMatchObject({ state: "gone" });
    expect(world.receiver.received).toHaveLength(1);
    expect((await world.log(id))[0]).toMatchObject({ state: "failed" });
  });

  it("that fails for five days has its webhook switched off, and what waits is cancelled", async () => {
    const { id } = await world.create({ organisation: "acme" });
    world.receiver.answers = () => 500;
    await world.publish("early");
    await world.attempts(id, 1);
    world.advance(110 * hourMs);
    await world.attempts(id, 2);
    await world.publish("late");
    await world.attempts(id, 3);
    world.advance(11 * hourMs);
    await world.attempts(id, 5);
    // Neither had half an hour by its own plan: only the fourth failure of one of them is the last.
    expect(await world.get(id)).toMatchObject({ state: "active", failingSince: expect.any(Date) });
    world.advance(hourMs);
    await world.until(async () => {
      const states = (await world.log(id)).map(({ plugin, state }) => `${plugin} ${state}`);
      expect(states).toEqual(["late cancelled", "early cancelled"]);
    });
    expect(await world.get(id)).toMatchObject({ state: "failing" });
    expect(world.audit.filter(({ action }) => action === "webhook.disable")).toMatchObject([
      { target: id, organisation: "acme", actor: "analytics", result: "ok" },
    ]);
    expect(await world.metrics()).toContain('registry_webhook_disabled_total{reason="failing"} 1');

    world.receiver.answers = () => 204;
    await world.service.updateWebhook({ id, active: true }, world.as(max));
    await world.publish("new");
    await world.until(() => expect(world.receiver.told).toEqual(["release.published new"]));
    expect(await world.get(id)).toMatchObject({ state: "active", failingSince: undefined });
  });

  it("that asks for a rest for five days has its webhook switched off, however much waits for its turn", async () => {
    const { id } = await world.create();
    world.receiver.answers = () => [503, { "retry-after": "3600" }];
    await world.publish("pump");
    await world.attempts(id, 1);
    for (let i = 1; i < 10; i++) await world.publish("pump", `1.0.${i}`);
    // After each rest another has its turn, so that none fails four times.
    for (let asked = 2; asked <= 10; asked++) {
      world.advance(12.1 * hourMs);
      await world.attempts(id, asked);
    }
    expect(await world.get(id)).toMatchObject({ state: "active", failingSince: expect.any(Date) });
    world.advance(12.1 * hourMs);
    await world.until(async () => expect(await world.get(id)).toMatchObject({ state: "failing" }));
    expect(world.receiver.received).toHaveLength(11);

    await world.service.updateWebhook({ id, active: true }, world.as(olga));
    await world.publish("valve");
    await world.attempts(id, 12);
    expect(await world.get(id)).toMatchObject({ state: "active" });
  });

  it("that was replaced while it was asked has no say any more", async () => {
    const { id } = await world.create({ url: world.receiver.url("/before") });
    for (const answer of [410, 500]) {
      const held = world.receiver.holds(answer);
      const before = world.receiver.received.length;
      await world.publish(`pump-${answer}`);
      await world.until(() => expect(held).toHaveLength(1));
      await world.service.updateWebhook({ id, url: world.receiver.url(`/after-${answer}`) }, world.as(olga));
      world.receiver.answers = () => 204;
      held[0]?.();
      await world.until(async () => expect((await world.log(id))[0]?.attempts).toMatchObject([{ status: answer }]));
      expect(await world.get(id)).toMatchObject({ state: "active", failingSince: undefined });
      world.advance(6000);
      await world.requests(before + 2);
      expect(world.receiver.received.at(-1)?.path).toBe(`/after-${answer}`);
    }
    expect(world.audit.map(({ action }) => action)).not.toContain("webhook.disable");
  });

  it("that was replaced in the last moment is not switched off for five days of the one before", async () => {
    const { id } = await world.create({ url: world.receiver.url("/before") });
    world.receiver.answers = () => 500;
    await world.publish("pump");
    await world.attempts(id, 1);
    for (const ms of [6000, 6 * minuteMs]) {
      world.advance(ms);
      await world.attempts(id, ms === 6000 ? 2 : 3);
    }
    const held = world.receiver.holds(500);
    world.advance(121 * hourMs);
    await world.until(() => expect(held).toHaveLength(1));
    await world.service.updateWebhook({ id, url: world.receiver.url("/after") }, world.as(olga));
    world.receiver.answers = () => 204;
    held[0]?.();
    await world.attempts(id, 4);
    world.advance(3 * hourMs);
    await world.until(() => expect(world.receiver.book.size).toBe(1));
    expect(await world.get(id)).toMatchObject({ state: "active" });
  });

  it("that takes all but one thing is asked for that one as long as for any other", async () => {
    const { id } = await world.create();
    world.receiver.answers = ({ json }) => (json.data.plugin === "poison" ? 500 : 200);
    await world.publish("poison");
    await world.attempts(id, 1);
    for (let i = 0; i < 20; i++) {
      world.advance(2 * minuteMs);
      await world.publish("pump", `1.0.${i}`);
      await world.until(() => expect(world.receiver.book.size).toBe(i + 1));
      await world.until(async () => expect((await world.log(id)).filter(isDue(world))).toEqual([]));
    }
    const poison = (await world.log(id)).find(({ plugin }) => plugin === "poison");
    expect(poison).toMatchObject({ state: "pending" });
    expect(poison?.attempts.length).toBeLessThan(7);
  });

  it("that asks for a rest gets it, for all that waits", async () => {
    const { id } = await world.create();
    world.receiver.answers = () => [429, { "retry-after": "600" }];
    await world.publish("pump");
    await world.attempts(id, 1);
    await world.publish("valve");
    world.receiver.answers = () => 200;
    world.advance(9 * minuteMs);
    await world.publish("crank");
    await world.until(async () =>
      expect(await world.metrics()).toMatch(/^registry_webhook_attempt_duration_seconds_count 1$/m),
    );
    expect(world.receiver.received).toHaveLength(1);
    world.advance(2 * minuteMs);
    await world.until(() => expect(world.receiver.book.size).toBe(3));
  });

  it("that is slow or dead holds up nobody else, and has few requests at once", async () => {
    const slow = await world.create({ url: world.receiver.url("/slow") });
    const held: (() => void)[] = [];
    const quick = await world.create({ url: world.receiver.url("/quick") }, sam);
    world.receiver.answers = async ({ json }) => {
      if (json.data.plugin !== "quick") await new Promise<void>((resolve) => held.push(resolve));
      return 200;
    };
    await world.service.updateWebhook({ id: quick.id, plugins: { values: ["quick"] } }, world.as(sam));
    await world.service.updateWebhook({ id: slow.id, plugins: { values: ["slow"] } }, world.as(olga));
    for (let i = 0; i < 10; i++) await world.publish("slow", `1.0.${i}`);
    await world.until(() => expect(held).toHaveLength(4));
    await world.publish("quick");
    await world.until(() => expect(world.receiver.told).toEqual(["release.published quick"]));
    expect(held).toHaveLength(4);
    world.receiver.answers = () => 200;
    for (const go of held) go();
    await world.until(() => expect(world.receiver.book.size).toBe(11));
    expect(world.receiver.most).toBeLessThanOrEqual(5);
  });
});

describe("many receivers that never answer", () => {
  it("leave room for the others, whether they are one owner's or all failed before", async () => {
    const crowd = await WebhookWorld.open({ WEBHOOK_CONCURRENCY: 4, WEBHOOK_TIMEOUT_SECONDS: 60 });
    try {
      await crowd.start();
      const dead: string[] = [];
      for (let i = 0; i < 8; i++) {
        dead.push((await crowd.create({ url: crowd.receiver.url("/dead"), plugins: ["pump"] })).id);
      }
      const quick = await crowd.create({ url: crowd.receiver.url("/quick"), plugins: ["valve"] }, sam);
      crowd.receiver.answers = ({ json }) => (json.data.plugin === "valve" ? 200 : undefined);
      await crowd.publish("pump");
      await crowd.requests(1);
      await crowd.publish("valve");
      await crowd.attempts(quick.id, 1);

      crowd.receiver.answers = () => 500;
      crowd.receiver.hangUp();
      await crowd.until(async () => {
        const failing = await Promise.all(dead.map(async (id) => (await crowd.get(id))?.failingSince));
        expect(failing).not.toContain(undefined);
      });
      crowd.receiver.answers = ({ json }) => (json.data.plugin === "valve" ? 200 : undefined);
      const before = crowd.receiver.received.length;
      crowd.advance(6000);
      await crowd.requests(before + 1);
      await crowd.publish("valve", "2.0.0");
      await crowd.attempts(quick.id, 2);
    } finally {
      await crowd.close();
    }
  });
});

describe("many receivers of one owner that fail", () => {
  it("are no lateness of the registry's, which its operator would be told of", async () => {
    const crowd = await WebhookWorld.open({ WEBHOOK_CONCURRENCY: 1, WEBHOOK_TIMEOUT_SECONDS: 60 });
    try {
      const first = await crowd.start();
      crowd.receiver.answers = () => 500;
      const dead = [await crowd.create(), await crowd.create(), await crowd.create()];
      await crowd.publish("pump");
      for (const { id } of dead) await crowd.attempts(id, 1);
      await first.close();
      crowd.replicas.splice(0);
      crowd.receiver.answers = () => undefined;
      const second = await crowd.compose();
      second.surroundings.clock.advance(10 * minuteMs);
      await second.service.start();
      await crowd.requests(4);
      await crowd.until(async () => expect(await crowd.metrics()).toMatch(/^registry_webhook_pending 3$/m));
      expect(await crowd.metrics()).toMatch(/^registry_webhook_oldest_due_seconds 0$/m);
    } finally {
      await crowd.close();
    }
  });

  it("leave room for its others, too", async () => {
    const crowd = await WebhookWorld.open({ WEBHOOK_CONCURRENCY: 16, WEBHOOK_TIMEOUT_SECONDS: 60 });
    try {
      await crowd.start();
      crowd.receiver.answers = () => 500;
      const dead: string[] = [];
      for (let i = 0; i < 5; i++) {
        dead.push((await crowd.create({ url: crowd.receiver.url("/dead"), plugins: ["pump"] })).id);
      }
      const quick = await crowd.create({ url: crowd.receiver.url("/quick"), plugins: ["valve"] });
      await crowd.publish("pump");
      for (const id of dead) await crowd.attempts(id, 1);
      const before = crowd.receiver.received.length;
      crowd.receiver.answers = ({ json }) => (json.data.plugin === "valve" ? 200 : undefined);
      crowd.advance(6000);
      await crowd.until(() => expect(crowd.receiver.received.length).toBeGreaterThan(before));
      await crowd.publish("valve");
      await crowd.attempts(quick.id, 1);
    } finally {
      await crowd.close();
    }
  });
});

describe("a secret", () => {
  it("that was rotated signs beside the new one for a day", async () => {
    const { id, secret } = await world.create();
    const rotated = await world.service.rotateWebhookSecret({ id }, world.as(olga));
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.webhook?.oldSecretUntil).toBeInstanceOf(Date);
    await world.publish("pump");
    await world.requests(1);
    const [received] = world.receiver.received;
    if (received === undefined) throw new Error("nothing came");
    expect(received.headers["webhook-signature"]).toMatch(/^v1,\S{44} v1,\S{44}$/);
    for (const each of [secret, rotated.secret]) new Webhook(each).verify(received.body, received.headers);
    world.advance(25 * hourMs);
    await world.publish("valve");
    await world.requests(2);
    const later = world.receiver.received[1];
    if (later === undefined) throw new Error("nothing came");
    verify(rotated.secret, later);
    expect(() => verify(secret, later)).toThrow();
    expect((await world.get(id))?.oldSecretUntil).toBeUndefined();
  });

  it("signs for its day also where it was rotated twice, as somebody does who did not see the first answer", async () => {
    const { id, secret } = await world.create();
    await world.service.rotateWebhookSecret({ id }, world.as(olga));
    world.advance(hourMs);
    const { secret: last, webhook } = await world.service.rotateWebhookSecret({ id }, world.as(olga));
    expect((webhook?.oldSecretUntil?.getTime() ?? 0) - Date.now()).toBeGreaterThan(24 * hourMs);
    await world.publish("pump");
    await world.requests(1);
    world.advance(23.5 * hourMs);
    await world.publish("valve");
    await world.requests(2);
    const [first, second] = world.receiver.received;
    if (first === undefined || second === undefined) throw new Error("nothing came");
    for (const each of [secret, last]) verify(each, first);
    verify(last, second);
    expect(() => verify(secret, second)).toThrow();
    for (let i = 0; i < 9; i++) await world.service.rotateWebhookSecret({ id }, world.as(olga));
    await world.publish("crank");
    await world.requests(3);
    expect(world.receiver.received[2]?.headers["webhook-signature"]?.split(" ")).toHaveLength(5);
  });

  it("of another SECRET_KEY sends nothing until it is rotated, and then no longer stands in the way", async () => {
    const { id } = await world.create();
    await world.service.rotateWebhookSecret({ id }, world.as(olga));
    const sealed = deriveKeys("the key of before").seal("webhook-secret", Buffer.alloc(32), id);
    const webhooks = await world.world.documents.collection<{ _id: string }>({ name: "webhooks", indexes: [] });
    await webhooks.updateOne(
      { _id: id },
      { $set: { secret: sealed, oldSecrets: [{ sealed, until: new Date(Date.now() + hourMs) }] } },
    );
    await world.publish("pump");
    await world.attempts(id, 1);
    expect((await world.log(id))[0]?.attempts).toMatchObject([{ status: 0, error: "secret unreadable" }]);
    const rotated = await world.service.rotateWebhookSecret({ id }, world.as(olga));
    expect(rotated.webhook?.oldSecretUntil).toBeUndefined();
    world.advance(6000);
    await world.requests(1);
    for (const received of world.receiver.received) verify(rotated.secret, received);
  });
});

describe("what an owner may not see", () => {
  it("is not told, by the rights at the moment of delivery", async () => {
    const hidden = new Set<string>();
    world.shows = (_caller, name) => !hidden.has(name);
    const { id } = await world.create({}, sam);
    world.receiver.answers = () => 500;
    await world.publish("pump");
    await world.publish("valve");
    await world.attempts(id, 2);
    hidden.add("secret");
    await world.publish("secret");
    hidden.add("pump");
    world.receiver.answers = () => 204;
    world.advance(6000);
    await world.until(() => expect(world.receiver.told).toEqual(["release.published valve"]));
    await world.until(async () => {
      const log = (await world.log(id)).map(({ plugin, state }) => `${plugin} ${state}`);
      // It was told of the pump while it might know of it, and never of what is secret.
      expect(log).toEqual(["valve delivered", "pump cancelled"]);
    });
    expect(JSON.stringify(world.receiver.received)).not.toContain('secret"');
  });

  it("is asked in the name of the organisation for what it owns, and of the user else", async () => {
    const asked: string[] = [];
    world.shows = (caller) => {
      if (caller.type === "user")
        asked.push(`${caller.username} ${caller.memberships?.map(({ role }) => role).join()}`);
      return true;
    };
    await world.create({ organisation: "acme" }, max);
    await world.publish("pump");
    await world.requests(1);
    expect(new Set(asked)).toEqual(new Set(["acme maintainer"]));
    await world.create({}, rita);
    await world.publish("valve");
    await world.requests(3);
    expect(new Set(asked)).toEqual(new Set(["acme maintainer", "rita reader"]));
  });

  it("is anything, once it is gone; its webhooks rest and are there when it comes back", async () => {
    const { id } = await world.create({}, sam);
    world.principals.delete(sam.id);
    await world.publish("pump");
    await world.until(async () =>
      expect(await world.metrics()).toContain('registry_webhook_deliveries_total{outcome="cancelled"} 1'),
    );
    expect(await world.log(id)).toEqual([]);
    world.principals.set(sam.id, sam);
    await world.publish("valve");
    await world.until(() => expect(world.receiver.told).toEqual(["release.published valve"]));
    expect(await world.get(id, sam)).toMatchObject({ state: "active" });
  });

  it("waits where nobody can say what it is", async () => {
    await world.create({}, sam);
    world.authAway = true;
    await world.publish("pump");
    await world.until(async () => {
      const { changes } = await world.first.changes.listChanges({ since: "" }, world.as(ada));
      expect(changes).toHaveLength(1);
    });
    world.authAway = false;
    world.advance(minuteMs);
    await world.until(() => expect(world.receiver.told).toEqual(["release.published pump"]));
  });
});
