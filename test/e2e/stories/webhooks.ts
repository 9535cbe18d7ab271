import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { registerSecret } from "../../secrets/record.ts";
import type { Actor } from "../actors.ts";
import { type Received, type Receiver, startReceiver, verified } from "../receiver.ts";
import { expectProblem } from "../shapes.ts";
import { countedWithinMs, type World } from "../world.ts";

/** What receivers of these stories need to be allowed. */
export const receiverSettings = { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" };

const url = "/api/v1/webhooks";
const patience = { timeout: countedWithinMs, interval: 50 };

interface Made {
  readonly id: string;
  readonly secret: string;
}

interface Delivery {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: readonly { readonly status: number | null; readonly error: string | null }[];
}

export function webhookStories(world: World): void {
  describe("webhooks", () => {
    let receiver: Receiver;
    beforeAll(async () => {
      receiver = await startReceiver();
    });
    afterAll(() => receiver.close());

    const makes = async (actor: Actor, path: string, more: object = {}): Promise<Made> => {
      const answer = await actor.sends("POST", url, { url: receiver.urlOf(path), ...more });
      expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"whsec_')]);
      expect(answer.headers.get("location")).toBe(`${actor.gateway}${url}/${answer.json<Made>().id}`);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      const made = answer.json<Made>();
      // The whole of it is known for a secret, as in every answer; a log may have it without its prefix.
      registerSecret("webhook secret", made.secret.slice("whsec_".length));
      return made;
    };
    const deliveriesOf = async (actor: Actor, { id }: Made): Promise<Delivery[]> => {
      const answer = await actor.gets(`${url}/${id}/deliveries`);
      expect(answer.status).toBe(200);
      return answer.json<{ deliveries: Delivery[] }>().deliveries;
    };
    const publishes = async (actor: Actor, name: string, version = "1.0.0", fields = {}): Promise<void> => {
      expect((await actor.publishes(pluginZip({ name, version }), { fields })).status).toBe(201);
    };
    /** What came once so much has come. */
    const heardAt = (path: string, count: number): Promise<readonly Received[]> =>
      vi.waitFor(() => {
        const heard = receiver.at(path);
        expect(heard.length).toBeGreaterThanOrEqual(count);
        return heard;
      }, patience);

    it("tell a receiver of a publish, signed, once, and tell its owner that they did", async () => {
      const [reader, publisher, name] = [await world.user(), await world.publisher(), world.name("told")];
      const made = await makes(reader, "/told", { plugins: [name], events: ["release.published"] });
      await publishes(publisher, name);
      const [heard] = await heardAt("/told", 1);
      if (heard === undefined) throw new Error("nothing came");
      expect(heard.method).toBe("POST");
      expect(heard.headers).toMatchObject({ "content-type": expect.stringMatching(/^application\/json/) });
      expect(verified(heard, made.secret)).toMatchObject({
        type: "release.published",
        data: { plugin: name, version: "1.0.0" },
      });
      expect(() => verified({ ...heard, body: heard.body.replace("1.0.0", "6.6.6") }, made.secret)).toThrow();
      await vi.waitFor(async () => {
        const told = { id: heard.headers["webhook-id"], type: "release.published", state: "delivered" };
        const attempts = [{ status: 204, error: null }];
        expect(await deliveriesOf(world.elsewhere(reader), made)).toMatchObject([{ ...told, attempts }]);
      }, patience);
    });

    it("tell nobody of what he may not see, nor of what he did not ask for", async () => {
      const [stranger, owner] = [await world.user("stranger"), await world.publisher("owner")];
      const [secret, open] = [world.name("vault"), world.name("open")];
      await makes(stranger, "/stranger", { plugins: [secret, open] });
      await makes(owner, "/owner", { plugins: [secret, open], events: ["release.published"] });
      await publishes(owner, secret, "1.0.0", { visibility: "private" });
      await publishes(owner, open);
      const sorted = (heard: readonly Received[]) => heard.map(({ message }) => message.data.plugin).sort();
      expect(sorted(await heardAt("/owner", 2))).toEqual([open, secret].sort());
      expect(sorted(await heardAt("/stranger", 1))).toEqual([open]);
      expect((await owner.yanks(open, "1.0.0")).status).toBe(200);
      const yanked = (await heardAt("/stranger", 2)).map(({ message }) => message.type);
      expect(yanked).toEqual(["release.published", "release.yanked"]);
      expect(receiver.at("/owner")).toHaveLength(2);
    });

    it("send again what a receiver was not well enough to take, under the same id", async () => {
      const [publisher, name] = [await world.publisher(), world.name("again")];
      const made = await makes(publisher, "/unwell", { plugins: [name] });
      receiver.answers("/unwell", 500);
      await publishes(publisher, name);
      await heardAt("/unwell", 1);
      const failed = await vi.waitFor(async () => {
        const [delivery] = await deliveriesOf(publisher, made);
        expect(delivery?.state).toBe("pending");
        expect(delivery?.attempts[0]).toMatchObject({ status: 500, error: "answered 500" });
        return delivery;
      }, patience);
      receiver.answers("/unwell", 200);
      const again = await publisher.request("POST", `${url}/${made.id}/deliveries/${failed?.id}/redeliver`);
      expect([again.status, again.json()]).toMatchObject([202, { id: failed?.id }]);
      const heard = await heardAt("/unwell", 2);
      expect(new Set(heard.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([failed?.id]));
      await vi.waitFor(async () => {
        const told = await deliveriesOf(publisher, made);
        expect(told).toMatchObject([{ id: failed?.id, state: "delivered" }]);
        expect(told[0]?.attempts.at(-1)).toMatchObject({ status: 200, error: null });
      }, patience);
    });

    it("sign with the old secret beside the new one after a rotation", async () => {
      const user = await world.user();
      const made = await makes(user, "/rotated");
      const rotated = await user.request("POST", `${url}/${made.id}/rotate`);
      expect([rotated.status, rotated.headers.get("cache-control")]).toEqual([200, "no-store"]);
      const { secret, old_secret_until: until } = rotated.json<Made & { old_secret_until: string }>();
      expect([secret === made.secret, until]).toEqual([false, expect.stringMatching(/Z$/)]);
      const tested = await user.request("POST", `${url}/${made.id}/test`);
      expect([tested.status, tested.json()]).toMatchObject([202, { type: "ping", plugin: null }]);
      const [heard] = await heardAt("/rotated", 1);
      if (heard === undefined) throw new Error("nothing came");
      for (const one of [secret, made.secret]) expect(verified(heard, one)).toMatchObject({ type: "ping" });
      const other = `whsec_${Buffer.alloc(32, "x").toString("base64")}`;
      expect(() => verified(heard, other)).toThrow();
      expect((await user.gets(`${url}/${made.id}`)).text).not.toContain("whsec_");
    });

    it("say nothing while they are paused, and nothing once they are gone", async () => {
      const [publisher, name] = [await world.publisher(), world.name("quiet")];
      const [paused, gone, control] = [
        await makes(publisher, "/paused", { plugins: [name] }),
        await makes(publisher, "/gone", { plugins: [name] }),
        await makes(publisher, "/control", { plugins: [name] }),
      ];
      const pausing = await publisher.sends("PATCH", `${url}/${paused.id}`, { active: false });
      expect([pausing.status, pausing.json()]).toMatchObject([200, { state: "paused" }]);
      expect((await publisher.request("DELETE", `${url}/${gone.id}`)).status).toBe(204);
      expectProblem(await publisher.gets(`${url}/${gone.id}`), 404, "WEBHOOK_NOT_FOUND");
      await publishes(publisher, name);
      await heardAt("/control", 1);
      await publisher.sends("PATCH", `${url}/${paused.id}`, { active: true });
      await publishes(publisher, name, "1.1.0");
      const versions = (await heardAt("/paused", 1)).map(({ message }) => message.data.version);
      expect(versions).toEqual(["1.1.0"]);
      await heardAt("/control", 2);
      expect(receiver.at("/gone")).toEqual([]);
      expect(await deliveriesOf(publisher, control)).toHaveLength(2);
    });

    it("of an organisation are there for those who answer for it", async () => {
      const [owner, maintainer, reader, org] = [
        await world.publisher("owner"),
        await world.user("maintainer"),
        await world.user("reader"),
        world.name("hooked"),
      ];
      expect((await owner.createsOrganisation({ name: org })).status).toBe(201);
      expect((await owner.setsMember(org, maintainer.username, "maintainer")).status).toBe(200);
      expect((await owner.setsMember(org, reader.username, "reader")).status).toBe(200);
      const made = await makes(owner, "/org", { organisation: org, plugins: [`@${org}/*`] });
      const of = async (actor: Actor) => (await actor.gets(`${url}?organisation=${org}`)).json();
      await world.soon(async () => {
        expect(await of(maintainer)).toMatchObject({ webhooks: [{ id: made.id, owner: null, organisation: org }] });
      });
      expectProblem(await reader.gets(`${url}/${made.id}`), 404, "WEBHOOK_NOT_FOUND");
      expectProblem(await reader.gets(`${url}?organisation=${org}`), 403, "PERMISSION_DENIED");
      expectProblem(await owner.gets(`${url}?all=true`), 403, "PERMISSION_DENIED");
      const everybodys = (await world.admin.gets(`${url}?all=true&limit=500`)).json<{ webhooks: Made[] }>();
      expect(everybodys.webhooks.map(({ id }) => id)).toContain(made.id);
      expect((await reader.gets(url)).json()).toEqual({ webhooks: [], next_cursor: null });
      const name = `@${org}/inner`;
      await publishes(owner, "inner", "1.0.0", { name, visibility: "private" });
      const [heard] = await heardAt("/org", 1);
      expect(heard?.message).toMatchObject({ type: "release.published", data: { plugin: name } });
    });

    it("are in the audit log, and their secrets are not", async () => {
      const user = await world.user();
      const made = await makes(user, "/audited");
      const { secret } = (await user.request("POST", `${url}/${made.id}/rotate`)).json<Made>();
      expect((await user.request("DELETE", `${url}/${made.id}`)).status).toBe(204);
      await vi.waitFor(async () => {
        const { entries } = (await world.admin.gets(`/api/v1/audit?target=${made.id}`)).json<{ entries: object[] }>();
        const who = { actor: user.username, result: "ok", via: "gateway" };
        expect(entries).toMatchObject(
          ["delete", "rotate", "create"].map((what) => ({ ...who, action: `webhook.${what}` })),
        );
        for (const hidden of [made.secret, secret]) expect(JSON.stringify(entries)).not.toContain(hidden.slice(6));
      }, patience);
    });

    it.each(["http://169.254.169.254/latest/meta-data", "https://[::1]/", "https://10.0.0.1/", "https://[fd00::1]/"])(
      "lead nobody into the network: %s",
      async (target) => {
        const user = await world.user();
        const refused = await user.sends("POST", url, { url: target });
        expect([target, refused.status]).toEqual([target, 400]);
        const { errors } = refused.json<{ errors: { pointer: string; reason: string }[] }>();
        expect(errors).toEqual([{ pointer: "/url", reason: expect.stringMatching(/\w/) }]);
      },
    );
  });
}
