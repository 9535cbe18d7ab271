import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rows } from "../testing/derived.ts";
import { ada, hourMs, max, minuteMs, olga, rita, sam, WebhookWorld } from "./testing/world.ts";

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.open({ LIMIT_WEBHOOKS_PER_OWNER: 3, RATE_LIMIT_WEBHOOK_TESTS: 4 });
  await world.start();
});
afterEach(() => world.close());

const missing = { kind: "not_found", reason: "WEBHOOK_NOT_FOUND", message: "Webhook not found" };

describe("a webhook", () => {
  it("is its user's, and administrators'; for others it is not there", async () => {
    const { id, webhook, secret } = await world.create({ description: "Tells the build" }, sam);
    expect(webhook).toMatchObject({ owner: "sam", organisation: "", state: "active", createdBy: "sam", events: [] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    for (const caller of [sam, ada]) expect(await world.get(id, caller)).toEqual(webhook);
    const { service } = world;
    const deliveryId = (await service.testWebhook({ id }, world.as(sam))).delivery?.id ?? "";
    for (const other of [olga, rita, max]) {
      for (const asked of [id, "no-such-webhook"]) {
        const as = world.as(other);
        await expect(service.getWebhook({ id: asked }, as)).rejects.toMatchObject(missing);
        await expect(service.updateWebhook({ id: asked, url: "https://x.example" }, as)).rejects.toMatchObject(missing);
        await expect(service.rotateWebhookSecret({ id: asked }, as)).rejects.toMatchObject(missing);
        await expect(service.testWebhook({ id: asked }, as)).rejects.toMatchObject(missing);
        await expect(service.listDeliveries({ webhookId: asked }, as)).rejects.toMatchObject(missing);
        await expect(service.redeliver({ webhookId: asked, deliveryId }, as)).rejects.toMatchObject(missing);
        await expect(service.deleteWebhook({ id: asked }, as)).rejects.toMatchObject(missing);
      }
    }
    await expect(service.getWebhook({ id }, world.as({ ...sam, scopes: ["read"] }))).rejects.toMatchObject({
      kind: "permission_denied",
    });
  });

  it("of an organisation is for its owners and maintainers", async () => {
    const { id } = await world.create({ organisation: "acme" }, max);
    for (const caller of [olga, max, ada])
      expect(await world.get(id, caller)).toMatchObject({ organisation: "acme", owner: "" });
    for (const caller of [rita, sam]) await expect(world.get(id, caller)).rejects.toMatchObject(missing);
    await expect(world.create({ organisation: "acme" }, rita)).rejects.toMatchObject({ kind: "permission_denied" });
    const unknown = { kind: "not_found", reason: "ORGANISATION_NOT_FOUND", message: "Organisation not found" };
    await expect(world.create({ organisation: "acme" }, sam)).rejects.toMatchObject(unknown);
    await expect(world.create({ organisation: "nobody" }, sam)).rejects.toMatchObject(unknown);
    await expect(world.create({ organisation: "nobody" }, ada)).rejects.toMatchObject(unknown);
    await world.create({ organisation: "acme" }, ada);
    const list = async (caller = olga) =>
      (await world.service.listWebhooks({ organisation: "acme" }, world.as(caller))).webhooks;
    expect((await list()).map(({ createdBy }) => createdBy)).toEqual(["max", "ada"]);
    await expect(list(rita)).rejects.toMatchObject({ kind: "permission_denied" });
    expect((await world.service.listWebhooks({}, world.as(max))).webhooks).toEqual([]);
  });

  it("is listed page by page, of everybody for administrators", async () => {
    for (const caller of [olga, max, rita, sam]) await world.create({}, caller);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await world.service.listWebhooks({ all: true, page: { pageSize: 3, pageToken } }, world.as(ada));
      seen.push(...page.webhooks.map(({ owner }) => owner));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["olga", "max", "rita", "sam"]);
    await expect(world.service.listWebhooks({ all: true }, world.as(olga))).rejects.toMatchObject({
      kind: "permission_denied",
    });
  });

  it("goes with its log, and nothing is sent to it any more", async () => {
    const { id } = await world.create();
    world.receiver.answers = () => 500;
    await world.publish("pump");
    await world.attempts(id, 1);
    await world.service.deleteWebhook({ id }, world.as(olga));
    await world.publish("valve");
    world.advance(hourMs);
    const other = await world.create();
    await world.publish("crank");
    await world.attempts(other.id, 1);
    expect(world.receiver.received.map(({ json }) => json.data.plugin)).toEqual(["pump", "crank"]);
    await expect(world.get(id)).rejects.toMatchObject(missing);
    expect((await rows(world.world, "webhook_deliveries")).map(({ plugin }) => plugin)).toEqual(["crank"]);
  });
});

describe("limits", () => {
  it("hold for the number of an owner's, however many are made at once", async () => {
    const made = await Promise.allSettled(Array.from({ length: 8 }, () => world.create({}, sam)));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const each of made) {
      if (each.status === "rejected") expect(each.reason).toMatchObject({ reason: "TOO_MANY_WEBHOOKS" });
    }
    await world.create({ organisation: "acme" }, olga);
    const [first] = (await world.service.listWebhooks({}, world.as(sam))).webhooks;
    await world.service.deleteWebhook({ id: first?.id ?? "" }, world.as(sam));
    await world.create({}, sam);
  });

  it("hold for what is written into one", async () => {
    const refused = async (request: object, reason: string, pointer: string) =>
      expect(world.create(request)).rejects.toMatchObject({ kind: "invalid_argument", reason, fields: [{ pointer }] });
    await refused({ url: `https://receiver.example/${"x".repeat(2048)}` }, "INVALID_URL", "/url");
    await refused({ description: "x".repeat(1001) }, "INVALID_DESCRIPTION", "/description");
    await refused({ description: "\u202eevil" }, "INVALID_DESCRIPTION", "/description");
    await refused({ events: ["release.published", "ping"] }, "INVALID_EVENTS", "/events/1");
    await refused({ plugins: ["@acme/*", "*"] }, "INVALID_PLUGINS", "/plugins/1");
    await refused({ plugins: Array.from({ length: 51 }, (_, i) => `pump-${i}`) }, "INVALID_PLUGINS", "/plugins");
    for (const secret of ["whsec_", "whsec_AAAA", `whsec_${"A".repeat(88)}`, "x", `whsec_${"A".repeat(31)}!`]) {
      await refused({ secret }, "INVALID_SECRET", "/secret");
    }
    const own = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    expect((await world.create({ secret: own })).secret).toBe(own);
  });

  it("hold for tests and redeliveries of one user", async () => {
    const { id } = await world.create();
    const { delivery } = await world.service.testWebhook({ id }, world.as(olga));
    await world.requests(1);
    for (let i = 0; i < 2; i++) await world.service.testWebhook({ id }, world.as(olga));
    const again = () => world.service.redeliver({ webhookId: id, deliveryId: delivery?.id ?? "" }, world.as(olga));
    await again();
    await expect(again()).rejects.toMatchObject({ kind: "rate_limited", retryAfterSeconds: expect.any(Number) });
    await expect(world.service.testWebhook({ id }, world.as(olga))).rejects.toMatchObject({ kind: "rate_limited" });
    await world.service.testWebhook({ id }, world.as(ada));
    world.advance(minuteMs);
    await again();
  });
});

describe("the delivery log", () => {
  it("is read page by page, newest first, and has whatever was tried", async () => {
    const { id } = await world.create();
    for (let i = 0; i < 7; i++) await world.publish(`pump-${i}`);
    await world.attempts(id, 7);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const request = { webhookId: id, page: { pageSize: 3, pageToken } };
      const page = await world.service.listDeliveries(request, world.as(olga));
      seen.push(...page.deliveries.map(({ plugin }) => plugin));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["pump-6", "pump-5", "pump-4", "pump-3", "pump-2", "pump-1", "pump-0"]);
    const other = await world.create();
    for (const bad of ["x", "1-1"]) {
      const request = { webhookId: other.id, page: { pageToken: bad } };
      await expect(world.service.listDeliveries(request, world.as(olga))).rejects.toMatchObject({
        reason: "INVALID_PAGE_TOKEN",
      });
    }
  });

  it("sends anything again, under its id, and keeps the latest attempts", async () => {
    const { id } = await world.create({}, ada);
    await world.publish("pump");
    await world.attempts(id, 1);
    const [{ id: deliveryId = "" } = {}] = await world.log(id);
    for (let i = 0; i < 32; i++) {
      world.advance(minuteMs);
      await world.service.redeliver({ webhookId: id, deliveryId }, world.as(ada));
      await world.requests(i + 2);
      await world.until(async () => expect(await world.log(id)).toMatchObject([{ state: "delivered" }]));
    }
    expect(new Set(world.receiver.received.map((received) => received.id))).toEqual(new Set([deliveryId]));
    expect((await world.log(id))[0]?.attempts).toHaveLength(30);
    await world.service.updateWebhook({ id, active: false }, world.as(ada));
    const again = world.service.redeliver({ webhookId: id, deliveryId }, world.as(ada));
    await expect(again).rejects.toMatchObject({ kind: "conflict", reason: "WEBHOOK_NOT_ACTIVE" });
    const unknown = world.service.redeliver({ webhookId: id, deliveryId: "msg_0" }, world.as(ada));
    await expect(unknown).rejects.toMatchObject({ kind: "not_found", reason: "DELIVERY_NOT_FOUND" });
  });

  it("sends again what is under way and fails, at once", async () => {
    const { id } = await world.create();
    const held = world.receiver.holds(500);
    await world.publish("pump");
    await world.until(() => expect(held).toHaveLength(1));
    const [{ id: deliveryId = "" } = {}] = await world.log(id);
    await world.service.redeliver({ webhookId: id, deliveryId }, world.as(olga));
    world.receiver.answers = () => 200;
    held[0]?.();
    await world.until(() => expect(world.receiver.book.size).toBe(1));
    await world.attempts(id, 2);
    expect((await world.log(id))[0]).toMatchObject({ id: deliveryId, state: "delivered" });
  });

  it("sends again what is under way and arrives, since it may have gone elsewhere", async () => {
    const { id } = await world.create({ url: world.receiver.url("/before") });
    const held = world.receiver.holds(200);
    await world.publish("pump");
    await world.until(() => expect(held).toHaveLength(1));
    const [{ id: deliveryId = "" } = {}] = await world.log(id);
    await world.service.updateWebhook({ id, url: world.receiver.url("/after") }, world.as(olga));
    await world.service.redeliver({ webhookId: id, deliveryId }, world.as(olga));
    world.receiver.answers = () => 200;
    held[0]?.();
    await world.attempts(id, 2);
    expect(world.receiver.received.map((received) => received.path)).toEqual(["/before", "/after"]);
    await world.until(async () => expect(await world.log(id)).toMatchObject([{ state: "delivered" }]));
  });

  it("cancels what is under way and fails where the webhook was paused meanwhile", async () => {
    const { id } = await world.create();
    const held = world.receiver.holds(500);
    await world.publish("pump");
    await world.until(() => expect(held).toHaveLength(1));
    await world.service.updateWebhook({ id, active: false }, world.as(olga));
    held[0]?.();
    await world.attempts(id, 1);
    expect((await world.log(id))[0]).toMatchObject({ state: "cancelled", attempts: [{ status: 500 }] });
  });

  it("names nothing that was never sent and may not be seen, whatever waits", async () => {
    const { id } = await world.create({}, sam);
    world.receiver.answers = () => [503, { "retry-after": "3600" }];
    await world.publish("pump");
    await world.attempts(id, 1);
    for (let i = 0; i < 5; i++) await world.publish("secret", `1.0.${i}`);
    await world.publish("valve");
    await world.until(async () => expect(await rows(world.world, "webhook_deliveries")).toHaveLength(7));
    world.shows = (_caller, name) => name !== "secret";
    const page = await world.service.listDeliveries({ webhookId: id, page: { pageSize: 2 } }, world.as(sam));
    expect(page.deliveries.map(({ plugin, state }) => `${plugin} ${state}`)).toEqual(["valve pending", "pump pending"]);
    const hidden = (await rows(world.world, "webhook_deliveries")).find(({ plugin }) => plugin === "secret");
    const again = world.service.redeliver({ webhookId: id, deliveryId: hidden?._id ?? "" }, world.as(sam));
    await expect(again).rejects.toMatchObject({ reason: "DELIVERY_NOT_FOUND" });
  });

  it("forgets what is old", async () => {
    const { id } = await world.create();
    await world.publish("pump");
    await world.attempts(id, 1);
    const later = await world.compose();
    later.surroundings.clock.advance(31 * 24 * hourMs);
    await later.service.start();
    await world.until(async () => expect(await world.log(id)).toEqual([]));
  });
});

describe("a secret", () => {
  it("is shown once, and is in no list, log of changes or store", async () => {
    const { id, secret } = await world.create({ organisation: "acme", url: `${world.receiver.url()}?key=hush-hush` });
    const rotated = await world.service.rotateWebhookSecret({ id }, world.as(olga));
    await world.service.testWebhook({ id }, world.as(olga));
    await world.service.updateWebhook({ id, description: "Another" }, world.as(max));
    await world.requests(1);
    const { service } = world;
    const said = JSON.stringify([
      await service.listWebhooks({ organisation: "acme" }, world.as(olga)),
      await world.get(id),
      await world.log(id),
      world.audit,
      await rows(world.world, "webhooks"),
      await rows(world.world, "webhook_deliveries"),
      await rows(world.world, "audit_journal"),
      await world.metrics(),
    ]);
    for (const each of [secret, rotated.secret]) {
      const bytes = Buffer.from(each.slice("whsec_".length), "base64");
      for (const form of [each, each.slice("whsec_".length), bytes.toString("base64url"), bytes.toString("hex")]) {
        expect(said).not.toContain(form);
      }
    }
    // Receivers may know their callers by the URL, too.
    expect(JSON.stringify(world.audit)).not.toContain("hush-hush");
  });

  it("is chosen at a rotation as at the beginning", async () => {
    const { id } = await world.create();
    const own = `whsec_${Buffer.alloc(64, 9).toString("base64")}`;
    expect((await world.service.rotateWebhookSecret({ id, secret: own }, world.as(olga))).secret).toBe(own);
    const bad = world.service.rotateWebhookSecret({ id, secret: "hunter2" }, world.as(olga));
    await expect(bad).rejects.toMatchObject({ reason: "INVALID_SECRET" });
    await expect(bad).rejects.not.toThrow("hunter2");
  });
});

describe("the audit log", () => {
  it("tells of each change, to the owners of the organisation", async () => {
    const { id } = await world.create({ organisation: "acme", url: `${world.receiver.url()}/hook` });
    await world.service.updateWebhook({ id, events: { values: ["plugin.deleted"] }, active: false }, world.as(max));
    await world.service.rotateWebhookSecret({ id }, world.as(olga));
    const { delivery } = await world.service.testWebhook({ id }, world.as(olga));
    await world.requests(1);
    await world.service.redeliver({ webhookId: id, deliveryId: delivery?.id ?? "" }, world.as(olga));
    await world.service.deleteWebhook({ id }, world.as(olga));
    const told = world.audit.map(({ action, target, organisation, result }) => ({
      action,
      target,
      organisation,
      result,
    }));
    const actions = ["create", "update", "rotate", "test", "redeliver", "delete"];
    expect(told).toEqual(
      actions.map((action) => ({ action: `webhook.${action}`, target: id, organisation: "acme", result: "ok" })),
    );
    const update = world.audit[1];
    expect(update).toMatchObject({ actor: "max" });
    expect(JSON.parse(update?.afterJson ?? "")).toMatchObject({ events: ["plugin.deleted"], state: "paused" });
  });
});
