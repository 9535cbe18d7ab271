import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import {
  Clients,
  createLogger,
  deriveKeys,
  Identity,
  type ServiceClient,
  systemClock,
  systemIds,
  WatchedTls,
} from "@registry/kit";
import { createTestSurroundings } from "@registry/kit/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CertificateFiles } from "../builders/certificates.ts";
import { pluginZip } from "../builders/plugin.ts";
import { missingFor } from "../stack/index.ts";
import type { Actor } from "./actors.ts";
import { sha256 } from "./http.ts";
import { operate } from "./operator.ts";
import { createWorld } from "./world.ts";

const secretKey = systemIds.secret(48);
const log = createLogger("silent");
const notAllowed = { kind: "permission_denied", reason: "CLIENT_NOT_ALLOWED" };
const away = { kind: "unavailable" };

describe.skipIf(missingFor("five"))("five processes that show each other certificates", () => {
  const world = createWorld("five", { SECRET_KEY: secretKey, GRPC_CLIENTS: "storage=ci" }, { tls: true });
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0).reverse()) close();
  });

  /** Somebody who knows the registry's secret, and so can sign any service's token, but has the certificate given. */
  function insider(service: string, files: CertificateFiles | undefined) {
    const identity = new Identity(deriveKeys(secretKey), systemClock, () => {
      throw new Error("nobody asks this process");
    });
    const { pipeline, metrics, close } = createTestSurroundings();
    const tls =
      files === undefined ? undefined : { files: new WatchedTls(files, { clock: systemClock, log, everySeconds: 60 }) };
    const addresses = new Map([
      [CatalogServiceDefinition.fullName, world.stack.grpc.catalog[0] ?? ""],
      [StorageServiceDefinition.fullName, world.stack.grpc.storage[0] ?? ""],
    ]);
    const clients = new Clients({ identity, pipeline, metrics, addresses, tls }, service);
    closers.push(
      close,
      () => tls?.files.close(),
      () => clients.close(),
    );
    return { catalog: clients.of(CatalogServiceDefinition), storage: clients.of(StorageServiceDefinition) };
  }

  const issue = (name: string): CertificateFiles => {
    const files = world.stack.certificates?.issue(`client-${name}`, [name]);
    if (files === undefined) throw new Error("the stack has no certificates");
    return files;
  };
  const asUser = (actor: Actor): Parameters<ServiceClient<typeof CatalogServiceDefinition>["getPlugin"]>[1] => ({
    context: {
      authorization: `Bearer ${actor.token}`,
      signal: AbortSignal.timeout(20_000),
      deadline: new Date(Date.now() + 20_000),
      requestId: systemIds.unique(),
      address: "127.0.0.1",
    },
  });

  async function publishesAndDownloads(): Promise<string> {
    const publisher = await world.publisher();
    const name = world.name("sealed");
    const zip = pluginZip({ name });
    expect((await publisher.publishes(zip)).status).toBe(201);
    expect((await world.anonymous.reads(name)).json()).toMatchObject({ name, version: "1.0.0" });
    expect(sha256((await world.anonymous.fetches(name, "1.0.0")).bytes)).toBe(sha256(zip));
    await vi.waitFor(async () => expect((await world.anonymous.finds({ query: name })).text).toContain(name));
    return name;
  }

  it("publish, find and download as ever", async () => {
    await publishesAndDownloads();
  });

  it("hear nobody without a certificate of their authority", async () => {
    await expect(insider("gateway", undefined).catalog.check({}, { as: "service" })).rejects.toMatchObject(away);
  });

  it("believe a service's token only over that service's certificate", async () => {
    const gateway = insider("gateway", issue("gateway"));
    expect(await gateway.catalog.check({}, { as: "service" })).toMatchObject({ checks: { database: true } });
    for (const name of ["analytics", "outsider"]) {
      await expect(insider("gateway", issue(name)).catalog.check({}, { as: "service" })).rejects.toMatchObject(
        notAllowed,
      );
    }
  });

  it("let users call directly with certificates that the group of the RPC is open to", async () => {
    const name = await publishesAndDownloads();
    const publisher = await world.publisher();
    // These clients always say in whose name they come, which their certificates have to bear out.
    const ci = insider("ci", issue("ci"));
    expect((await ci.catalog.getPlugin({ name }, asUser(publisher))).details?.plugin?.name).toBe(name);
    const outsider = insider("outsider", issue("outsider"));
    expect((await outsider.catalog.getPlugin({ name }, asUser(publisher))).details?.plugin?.name).toBe(name);
    const upload = { uploadId: "no-such-upload" };
    await expect(outsider.storage.abortUpload(upload, asUser(publisher))).rejects.toMatchObject(notAllowed);
    expect(await ci.storage.abortUpload(upload, asUser(publisher))).toEqual({});
  });

  it("take the operator's commands over a certificate that names cli", async () => {
    const command = ["admin", "reset-totp", "nobody-of-that-name"];
    expect(await operate(world.stack, command)).toMatchObject({
      code: 1,
      err: expect.stringContaining("User not found"),
    });
    const { cert, key } = issue("gateway");
    const wrong = await operate(world.stack, command, { GRPC_TLS_CERT_FILE: cert, GRPC_TLS_KEY_FILE: key });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("certificates that name cli") });
  });

  it("go over to another authority without a restart and without a failed request", { timeout: 120_000 }, async () => {
    const name = await publishesAndDownloads();
    const before = issue("gateway");
    let answered = 0;
    let running = true;
    const reading = (async () => {
      const user = await world.user();
      while (running) {
        expect((await user.gets(`/api/v1/plugins/${name}/versions`)).status).toBe(200);
        answered += 1;
      }
    })();
    const accepted = (files: CertificateFiles) =>
      insider("gateway", files)
        .storage.check({}, { as: "service" })
        .then(
          () => true,
          () => false,
        );
    const change = world.stack.certificates?.introduce();
    const after = world.stack.certificates?.issue("client-next", ["gateway"]) ?? before;
    // Trusts the new authority alone, so it connects as soon as servers have certificates of that one.
    change?.certify();
    await vi.waitFor(async () => expect(await accepted(after)).toBe(true), { timeout: 20_000, interval: 200 });
    change?.retire();
    await vi.waitFor(async () => expect(await accepted(before)).toBe(false), { timeout: 20_000, interval: 200 });
    const seen = answered;
    await vi.waitFor(() => expect(answered).toBeGreaterThan(seen + 5));
    running = false;
    await reading;
    // Whoever comes back finds the others by their new certificates.
    await world.stack.restart("catalog");
    await vi.waitFor(publishesAndDownloads, { timeout: 30_000, interval: 500 });
  });
});
