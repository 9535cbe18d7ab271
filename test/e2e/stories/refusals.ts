import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { clientForm, type Form, multipart, packagePart } from "../../builders/form.ts";
import { hostileArchives } from "../../builders/hostile.ts";
import { noise, pluginYaml, pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import { exchange } from "../http.ts";
import { expectProblem } from "../shapes.ts";
import { tracesOf } from "../traces.ts";
import type { World } from "../world.ts";

const invalidAuthentication = "Invalid authentication";

/** Every refusal leaves nothing behind, and a valid publish right afterwards succeeds. */
export function refusalStories(world: World, packageLimit: number): void {
  const stillPublishes = async (publisher: Actor): Promise<void> => {
    const answer = await publisher.publishes(pluginZip({ name: world.name("afterwards") }));
    expect(answer.status).toBe(201);
  };
  const leavesNothing = async (publisher: Actor, attempt: () => Promise<void>): Promise<void> => {
    await world.soon(async () => expect((await publisher.gets("/api/v1/auth/me")).status).toBe(200));
    await settled(world);
    const before = await tracesOf(world);
    await attempt();
    expect(await tracesOf(world)).toEqual(before);
    await stillPublishes(publisher);
  };

  describe("refusing", () => {
    it("tells who may not publish, before or after reading the package", async () => {
      const zip = pluginZip({ name: world.name("nobody") });
      const anonymous = await world.anonymous.publishes(zip);
      expectProblem(anonymous, 401, "INVALID_CREDENTIAL", invalidAuthentication);
      expect(anonymous.headers.get("www-authenticate")).toBe("Bearer");
      expectProblem(await (await world.user()).publishes(zip), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(
        await world.anonymous.with("wrong").publishes(zip),
        401,
        "INVALID_CREDENTIAL",
        invalidAuthentication,
      );
    });

    it("gives a name that somebody owns to nobody else", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const name = world.name("taken");
      expect((await owner.publishes(pluginZip({ name }))).status).toBe(201);
      const answer = await stranger.publishes(pluginZip({ name, version: "2.0.0" }));
      expectProblem(answer, 403, "PERMISSION_DENIED", "Permission denied");
      const similar = name.replace("taken", "tak-en");
      expectProblem(await stranger.publishes(pluginZip({ name: similar })), 422, "NAME_TOO_SIMILAR");
      expect((await owner.reads(name)).json()).toMatchObject({ versions: ["1.0.0"] });
      await stillPublishes(stranger);
    });

    it("takes a bad token for a refusal on reads, too", async () => {
      for (const path of ["/", "/api/v1/plugins", "/api/v1/plugins/all", "/api/v1/plugins/x", "/api/v1/search?q=x"]) {
        const answer = await world.anonymous.with("bad-token").gets(path);
        expectProblem(answer, 401, "INVALID_CREDENTIAL", invalidAuthentication);
        expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      }
      const basic = await exchange("GET", `${world.anonymous.gateway}/api/v1/plugins`, {
        headers: { authorization: "Basic YTpi" },
      });
      expectProblem(basic, 401, "INVALID_CREDENTIAL", invalidAuthentication);
    });

    it("refuses hostile archives with the reason, and keeps nothing of them", async () => {
      const publisher = await world.publisher();
      const name = world.name("hostile");
      await leavesNothing(publisher, async () => {
        for (const { what, bytes, status, code } of hostileArchives(name)) {
          const answer = await publisher.publishes(bytes);
          expect([what, answer.status, answer.text]).toEqual([what, status, expect.stringContaining(`"${code}"`)]);
          expectProblem(answer, status, code);
        }
        expect((await publisher.reads(name)).status).toBe(404);
      });
      expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
    });

    it("refuses a manifest that breaks rules, naming each field", async () => {
      const publisher = await world.publisher();
      const more = ["homepage: ftp://example.com", "endpoints: nothing"];
      const answer = await publisher.publishes(pluginZip({ name: world.name("wrong"), type: "spell", more }));
      expectProblem(answer, 422, "INVALID_MANIFEST");
      const { errors } = answer.json<{ errors: { pointer: string; reason: string }[] }>();
      expect(errors.map(({ pointer }) => pointer)).toEqual(
        expect.arrayContaining(["/type", "/homepage", "/endpoints"]),
      );
      await stillPublishes(publisher);
    });

    it("refuses forms that lack what they need, or say something else than they send", async () => {
      const publisher = await world.publisher();
      const zip = pluginZip({ name: world.name("form") });
      const manifestOnly = multipart([{ field: "manifest", content: "name: x", filename: "plugin.yaml" }]);
      const zero = "0".repeat(64);
      const cases: readonly (readonly [Form, number, string])[] = [
        [manifestOnly, 400, "MISSING_PART"],
        [multipart([]), 400, "MISSING_PART"],
        [multipart([packagePart(zip), packagePart(zip)]), 400, "DUPLICATE_PART"],
        [multipart([packagePart(zip), { field: "more", content: "x", filename: "more.bin" }]), 400, "UNKNOWN_PART"],
        [multipart([packagePart(zip), { field: "sha256", content: zero }]), 400, "DIGEST_MISMATCH"],
        [multipart([{ field: "sha256", content: zero }, packagePart(zip)]), 400, "DIGEST_MISMATCH"],
        [multipart([packagePart(zip), { field: "visibility", content: "secret" }]), 400, "INVALID_FIELD"],
        [multipart([packagePart(zip), { field: "channel", content: "1.x" }]), 400, "INVALID_CHANNEL"],
        [multipart([packagePart(zip), { field: "version", content: "2.0.0" }]), 422, "MANIFEST_MISMATCH"],
        [clientForm(zip, pluginYaml({ name: "another" })), 422, "MANIFEST_MISMATCH"],
        [clientForm(zip, "x".repeat(70_000)), 413, "MANIFEST_TOO_LARGE"],
        [
          { body: multipart([packagePart(zip)]).body, headers: { "content-type": "application/json" } },
          400,
          "MALFORMED_BODY",
        ],
        [{ body: zip, headers: { "content-type": "application/zip" } }, 415, "UNSUPPORTED_MEDIA_TYPE"],
      ];
      await leavesNothing(publisher, async () => {
        for (const [form, status, code] of cases) {
          expectProblem(await publisher.sendsForm("/api/v1/plugins", form), status, code);
          expectProblem(await publisher.sendsForm("/api/v1/plugins/publish", form), status, code);
        }
      });
    });

    it("refuses what is too large, counted on the package's own bytes", async () => {
      const publisher = await world.publisher();
      await leavesNothing(publisher, async () => {
        const large = noise(packageLimit + 1, "large");
        expectProblem(await publisher.publishes(large), 413, "PACKAGE_TOO_LARGE");
        const name = world.name("large");
        const manifest = pluginYaml({ name });
        expectProblem(await publisher.publishesAsClient(large, manifest), 413, "PACKAGE_TOO_LARGE");
      });
    });

    it("refuses a form that was cut, and forgets an upload whose sender went away", async () => {
      const publisher = await world.publisher();
      const name = world.name("cut");
      const form = multipart([packagePart(pluginZip({ name, ballast: 200_000 }))]);
      await leavesNothing(publisher, async () => {
        const cut = { ...form, body: form.body.subarray(0, 100_000) };
        expectProblem(await publisher.sendsForm("/api/v1/plugins", cut), 400, "MALFORMED_MULTIPART");
        await sendsHalf(publisher, form);
        await settled(world);
        expect((await publisher.reads(name)).status).toBe(404);
      });
      expect((await publisher.sendsForm("/api/v1/plugins", form)).status).toBe(201);
    });
  });
}

/** Half of a form with the length of the whole, then nothing any more. */
async function sendsHalf({ gateway, token }: Actor, { body, headers }: Form): Promise<void> {
  const { hostname, port } = new URL(gateway);
  const head = [
    "POST /api/v1/plugins HTTP/1.1",
    `host: ${hostname}:${port}`,
    `authorization: Bearer ${token}`,
    `content-type: ${headers["content-type"]}`,
    `content-length: ${body.length}`,
  ];
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined).on("close", () => resolve());
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.write(body.subarray(0, body.length / 2), () => socket.destroy());
  });
}

/** Until two looks, a moment apart, see the same: what an ended request still tidies up is done. */
/** Until what earlier stories left under way, such as counted downloads, is through. */
export async function settled(world: World): Promise<void> {
  let before = JSON.stringify(await tracesOf(world));
  await vi.waitUntil(
    async () => {
      const now = JSON.stringify(await tracesOf(world));
      const same = now === before;
      before = now;
      return same;
    },
    { timeout: 10_000, interval: 300 },
  );
}
