import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { missing } from "../../servers/index.ts";
import { innerServices } from "../../stack/plan.ts";
import { callGrpc, listServices } from "../grpcurl.ts";
import type { World } from "../world.ts";

const fullName = (service: string): string => {
  const upper = service.charAt(0).toUpperCase() + service.slice(1);
  return `registry.${service}.v1.${upper}Service`;
};

/** Internal services call gRPC without the gateway: the same rights, the same reasons. */
export function grpcStories(world: World): void {
  const catalog = (method: string): string => `registry.catalog.v1.CatalogService/${method}`;
  const address = (): string => world.stack.grpc.catalog[0] ?? "";

  describe.skipIf(missing("grpcurl"))("gRPC", () => {
    it.each(innerServices)("tells by reflection what %s serves, and that it is well", async (service) => {
      for (const each of world.stack.grpc[service]) {
        expect(await listServices(each)).toEqual(expect.arrayContaining([fullName(service), "grpc.health.v1.Health"]));
        for (const asked of ["", fullName(service)]) {
          const { answer } = await callGrpc(each, "grpc.health.v1.Health/Check", { service: asked });
          expect(answer).toEqual({ status: "SERVING" });
        }
      }
    });

    it("reads a plugin without a credential, and tells what is not there with its reason", async () => {
      const publisher = await world.publisher();
      const name = world.name("wire");
      await publisher.publishes(pluginZip({ name }));
      const { answer } = await callGrpc(address(), catalog("GetPlugin"), { name });
      expect(answer).toMatchObject({
        details: { plugin: { name, latest: "1.0.0", visibility: "VISIBILITY_PUBLIC" }, versions: ["1.0.0"] },
      });
      const unknown = await callGrpc(address(), catalog("GetPlugin"), { name: "no-such-plugin" });
      expect(unknown).toMatchObject({ code: "NotFound", reason: "PLUGIN_NOT_FOUND" });
      const version = await callGrpc(address(), catalog("GetPlugin"), { name, version: "9.0.0" });
      expect(version).toMatchObject({ code: "NotFound", reason: "VERSION_NOT_FOUND" });
    });

    it("holds callers to the rights that they have at the gateway", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const name = world.name("cable");
      await owner.publishes(pluginZip({ name }), { fields: { visibility: "private" } });
      const token = async (scopes: string[] = []) =>
        (await owner.createsToken("grpc", scopes)).json<{ secret: string }>().secret;
      const denied = await callGrpc(address(), catalog("PublishRelease"), { uploadId: "x" });
      expect(denied).toMatchObject({ code: "Unauthenticated", reason: "INVALID_CREDENTIAL" });
      const wrong = await callGrpc(address(), catalog("GetPlugin"), { name }, "wrong");
      expect(wrong).toMatchObject({ code: "Unauthenticated", reason: "INVALID_CREDENTIAL" });

      const asked = { name, title: "By wire" };
      const reader = await token(["read"]);
      const updated = await callGrpc(address(), catalog("UpdatePlugin"), asked, await token());
      expect(updated).toMatchObject({ code: "OK", answer: { plugin: { title: "By wire" } } });
      const hidden = await callGrpc(address(), catalog("UpdatePlugin"), asked, stranger.token);
      expect(hidden).toMatchObject({ code: "NotFound", reason: "PLUGIN_NOT_FOUND" });
      const scoped = await callGrpc(address(), catalog("UpdatePlugin"), asked, reader);
      expect(scoped).toMatchObject({ code: "PermissionDenied", reason: "PERMISSION_DENIED" });
      expect(await callGrpc(address(), catalog("GetPlugin"), { name })).toMatchObject({ code: "NotFound" });
      expect(await callGrpc(address(), catalog("GetPlugin"), { name }, reader)).toMatchObject({ code: "OK" });
      await world.soon(async () => {
        expect((await owner.reads(name)).json()).toMatchObject({ title: "By wire" });
      });
    });

    it("keeps what services call to themselves", async () => {
      const inner: readonly (readonly [address: string, method: string])[] = [
        [address(), catalog("FilterReferenced")],
        [world.stack.grpc.storage[0] ?? "", "registry.storage.v1.StorageService/CommitUpload"],
        [world.stack.grpc.analytics[0] ?? "", "registry.analytics.v1.AnalyticsService/RecordUsage"],
      ];
      for (const [where, method] of inner) {
        expect(await callGrpc(where, method)).toMatchObject({ code: "Unauthenticated" });
        const byAdmin = await callGrpc(where, method, {}, world.stack.adminToken);
        expect(byAdmin).toMatchObject({ code: "PermissionDenied", reason: "PERMISSION_DENIED" });
      }
    });

    it("publishes a package that was uploaded by wire", async () => {
      const publisher = await world.publisher();
      const name = world.name("telegraph");
      const zip = pluginZip({ name });
      const where = world.stack.grpc.storage[0] ?? "";
      const messages = [{ header: { size: zip.length } }, { chunk: Buffer.from(zip).toString("base64") }];
      const method = "registry.storage.v1.StorageService/UploadPackage";
      const uploaded = await callGrpc(where, method, messages, publisher.token);
      const { id } = (uploaded.answer as { upload: { id: string } }).upload;
      const stranger = await world.publisher("stranger");
      const theirs = await callGrpc(address(), catalog("PublishRelease"), { uploadId: id }, stranger.token);
      expect(theirs).toMatchObject({ code: "NotFound", reason: "UPLOAD_NOT_FOUND" });
      const published = await callGrpc(address(), catalog("PublishRelease"), { uploadId: id }, publisher.token);
      expect(published).toMatchObject({
        code: "OK",
        answer: { created: true, release: { plugin: name, version: "1.0.0" } },
      });
      const again = await callGrpc(address(), catalog("PublishRelease"), { uploadId: id }, publisher.token);
      expect(again).toMatchObject({ code: "OK", answer: { release: { plugin: name } } });
      await world.soon(async () => expect((await publisher.fetches(name, "1.0.0")).bytes).toHaveLength(zip.length));
    });
  });
}
