import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { anonymous } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authority, certificate, writeCertificate } from "../../../../test/builders/certificates.ts";
import { createTestSurroundings, type TestSurroundings, userCaller } from "../testing.ts";
import { WatchedTls } from "../tls/watched.ts";
import { ClientRules, parseNameLists, rpcGroups } from "./client-rules.ts";
import { Clients } from "./clients.ts";
import { Pipeline } from "./pipeline.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";
import { anyOf, anyone, defineService, services, users } from "./table.ts";
import { hostOf, namesOf } from "./tls.ts";

const unused = { allow: anyone, handle: () => Promise.reject(new Error("unused")) };
const table = defineService(StorageServiceDefinition, {
  uploadPackage: unused,
  getUpload: {
    allow: anyone,
    handle: async (_request, { via, address }) => ({ upload: { id: via ?? "nobody", name: address ?? "" } }),
  },
  commitUpload: { allow: services("catalog"), handle: async () => ({ sha256: "x" }) },
  abortUpload: { allow: anyOf(users, services("catalog")), handle: async () => ({}) },
  readBlob: {
    allow: anyone,
    maxDurationMs: 0,
    handle: async function* (_request, { signal }) {
      for (let sent = 0; !signal.aborted; sent += 1) {
        yield { part: { $case: "chunk" as const, value: new Uint8Array([sent % 256]) } };
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  },
  readPackageFile: { allow: anyone, handle: async function* () {} },
  runPackageTests: { allow: services("catalog"), handle: async () => ({}) },
  presignBlob: unused,
  collectGarbage: unused,
  check: { allow: services("gateway"), handle: async () => ({}) },
});

const ca = authority();
const foreignCa = authority("Foreign CA");
let folder: string;
let around: TestSurroundings;
let server: GrpcServer;
let closers: (() => void)[] = [];

function watched(name: string, ...issued: Parameters<typeof certificate>): WatchedTls {
  const files = writeCertificate(join(folder, name), certificate(...issued), [issued[0]]);
  const tls = new WatchedTls(files, { clock: around.clock, log: around.log, everySeconds: 3600 });
  closers.push(() => tls.close());
  return tls;
}

interface ServerOptions {
  readonly clients?: string;
  readonly aliases?: string;
}

async function serve({ clients = "", aliases = "" }: ServerOptions = {}, tls = watched("server", ca, ["storage"])) {
  const rules = new ClientRules({
    groups: parseNameLists(clients, rpcGroups),
    aliases: parseNameLists(aliases, ["catalog", "gateway"]),
  });
  const { identity, log, metrics, ids } = around;
  const pipeline = new Pipeline({ identity, clients: rules, anonymousRead: true, log, metrics, newId: ids.unique });
  server = await startGrpcServer([table], pipeline, { host: "127.0.0.1", port: 0 }, { files: tls });
}

/** Clients that speak as a service and show a certificate; both as the test likes. */
function speaking(service: string, files: WatchedTls | undefined, { host = "127.0.0.1", serverName = "" } = {}) {
  const addresses = new Map([[StorageServiceDefinition.fullName, `${host}:${server.port}`]]);
  const tls = files === undefined ? undefined : { files, serverName: serverName || undefined };
  const clients = new Clients({ ...around, addresses, tls }, service);
  closers.push(() => clients.close());
  return clients.of(StorageServiceDefinition);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kit-tls-"));
  around = createTestSurroundings();
});
afterEach(async () => {
  for (const close of closers.reverse()) close();
  closers = [];
  await server?.close(100);
  around.close();
  rmSync(folder, { recursive: true });
});

const away = { kind: "unavailable" };
const notAllowed = { kind: "permission_denied", reason: "CLIENT_NOT_ALLOWED" };

describe("a connection", () => {
  it("stands where both ends show a certificate of the authority and the server's carries the name", async () => {
    await serve();
    const catalog = watched("catalog", ca, ["catalog"]);
    expect(await speaking("catalog", catalog).commitUpload({ uploadId: "u" }, { as: "service" })).toEqual({
      sha256: "x",
    });
    expect(await speaking("catalog", catalog, { host: "localhost" }).getUpload({ uploadId: "u" })).toBeDefined();
    expect(await speaking("catalog", catalog, { serverName: "storage" }).getUpload({ uploadId: "u" })).toBeDefined();
  });

  it("is refused where the server's certificate carries another name", async () => {
    await serve();
    const catalog = watched("catalog", ca, ["catalog"]);
    const other = speaking("catalog", catalog, { serverName: "analytics" });
    await expect(other.getUpload({ uploadId: "u" }, { timeoutMs: 3000 })).rejects.toMatchObject(away);
  });

  it("is refused without a certificate, with one of another authority, and with one that has expired", async () => {
    await serve();
    await expect(speaking("catalog", undefined).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
    const foreign = watched("foreign", foreignCa, ["catalog"]);
    await expect(speaking("catalog", foreign).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
    const soon = watched("soon", ca, ["catalog"]);
    writeCertificate(join(folder, "soon"), certificate(ca, ["catalog"], -0.5), [ca]);
    around.clock.advance(-3_000_000);
    soon.look();
    await expect(speaking("catalog", soon).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
  });

  it("is TLS 1.2 or newer, and needs a certificate before anything is said", async () => {
    const tls = watched("server", ca, ["storage"]);
    await serve({}, tls);
    const { cert, key } = watched("catalog", ca, ["catalog"]).material;
    const said = (options: object): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(
          { host: "127.0.0.1", port: server.port, ca: ca.certificate, ALPNProtocols: ["h2"], ...options },
          () => {
            socket.once("data", () => {
              resolve(socket.getProtocol() ?? "");
              socket.destroy();
            });
          },
        );
        socket.on("error", () => resolve("refused")).on("close", () => resolve("refused"));
      });
    expect(await said({ cert, key })).toBe("TLSv1.3");
    expect(await said({ cert, key, maxVersion: "TLSv1.2" })).toBe("TLSv1.2");
    expect(await said({ cert, key, minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" })).toBe(
      "refused",
    );
    expect(await said({})).toBe("refused");
  });
});

describe("a caller", () => {
  it("cannot use the token of another service", async () => {
    await serve();
    const thief = speaking("catalog", watched("analytics", ca, ["analytics"]));
    await expect(thief.commitUpload({ uploadId: "u" }, { as: "service" })).rejects.toMatchObject(notAllowed);
    await expect(thief.getUpload({ uploadId: "u" })).rejects.toMatchObject(notAllowed);
    const outsider = speaking("catalog", watched("outsider", ca, ["outsider"]));
    await expect(outsider.commitUpload({ uploadId: "u" }, { as: "service" })).rejects.toMatchObject(notAllowed);
  });

  it("says who passes a call on, and for which address, only as the service that its certificate names", async () => {
    await serve();
    const context = { ...around.as(anonymous).context, address: "203.0.113.9" };
    const gateway = speaking("gateway", watched("gateway", ca, ["gateway"]));
    const passed = await gateway.getUpload({ uploadId: "u" }, { context } as never);
    expect(passed.upload).toMatchObject({ id: "gateway", name: "203.0.113.9" });
  });

  it("may be several services by one certificate", async () => {
    await serve();
    const single = watched("registry", ca, ["auth", "catalog", "storage", "analytics", "gateway", "registry"]);
    expect(await speaking("catalog", single).commitUpload({ uploadId: "u" }, { as: "service" })).toBeDefined();
    expect(await speaking("gateway", single).check({}, { as: "service" })).toBeDefined();
  });

  it("may be a service by a name that is mapped to it", async () => {
    await serve({ aliases: "catalog=catalog.prod.example.com" });
    const mapped = watched("mapped", ca, ["catalog.prod.example.com"]);
    expect(await speaking("catalog", mapped).commitUpload({ uploadId: "u" }, { as: "service" })).toBeDefined();
    await expect(speaking("gateway", mapped).check({}, { as: "service" })).rejects.toMatchObject(notAllowed);
  });

  it("with a user's token needs a certificate that the group of the RPC is open to", async () => {
    await serve({ clients: "storage=ci" });
    const header = (name: string, value: string): Metadata => {
      const metadata = new Metadata();
      metadata.set("authorization", around.as(userCaller("ann")).context?.authorization ?? "");
      metadata.set(name, value);
      return metadata;
    };
    const call = (files: WatchedTls, method: string, metadata = header("x-nothing", "x")): Promise<string> =>
      new Promise((resolve) => {
        const { ca: roots, key, cert } = files.material;
        const client = new Client(
          `127.0.0.1:${server.port}`,
          credentials.createSsl(roots ?? null, key, cert, { checkServerIdentity: () => undefined }),
        );
        closers.push(() => client.close());
        const plain = (bytes: Buffer): Buffer => bytes;
        const done = (error: ServiceError | null): void => resolve(status[error?.code ?? 0] ?? "");
        client.makeUnaryRequest(
          `/registry.storage.v1.StorageService/${method}`,
          plain,
          plain,
          Buffer.alloc(0),
          metadata,
          done,
        );
      });
    const ci = watched("ci", ca, ["ci"]);
    const other = watched("other", ca, ["other"]);
    expect(await call(ci, "AbortUpload")).toBe("OK");
    expect(await call(other, "AbortUpload")).toBe("PERMISSION_DENIED");
    expect(await call(other, "AbortUpload", header("registry-peer-names", "ci"))).toBe("PERMISSION_DENIED");
    expect(await call(ci, "CommitUpload")).toBe("PERMISSION_DENIED");
  });

  it("may be anybody of the authority where a group is open, which is the default for all but the internal one", async () => {
    await serve();
    const other = watched("other", ca, ["other"]);
    const { port } = server;
    const addresses = new Map([[StorageServiceDefinition.fullName, `127.0.0.1:${port}`]]);
    const clients = new Clients({ ...around, addresses, tls: { files: other } }, "other");
    closers.push(() => clients.close());
    const client = clients.of(StorageServiceDefinition);
    expect(await client.abortUpload({ uploadId: "u" }, around.as(userCaller("ann")))).toEqual({});
    await expect(client.check({}, { as: "service" })).rejects.toMatchObject(notAllowed);
  });
});

describe("new files", () => {
  it("count for new connections at both ends, while those that stand go on and no call fails", async () => {
    const atServer = watched("server", ca, ["storage"]);
    const atClient = watched("catalog", ca, ["catalog"]);
    await serve({}, atServer);
    const steady = speaking("catalog", atClient);
    const stop = new AbortController();
    let heard = 0;
    const stream = (async () => {
      for await (const _ of steady.readBlob({}, { signal: stop.signal, timeoutMs: 0 })) heard += 1;
    })().catch((error: { kind?: string }) => error.kind);
    let answered = 0;
    let running = true;
    const calling = (async () => {
      while (running) {
        await steady.commitUpload({ uploadId: "u" }, { as: "service" });
        answered += 1;
      }
    })();
    await expect.poll(() => answered).toBeGreaterThan(3);

    // Authorities first at all, then certificates, then the old authority goes.
    const nextCa = authority("Next CA");
    const renew = (by: typeof ca, trusted: (typeof ca)[]): void => {
      writeCertificate(join(folder, "server"), certificate(by, ["storage"]), trusted);
      writeCertificate(join(folder, "catalog"), certificate(by, ["catalog"]), trusted);
      atServer.look();
      atClient.look();
    };
    renew(ca, [ca, nextCa]);
    renew(nextCa, [ca, nextCa]);
    renew(nextCa, [nextCa]);
    const before = [answered, heard];
    await expect.poll(() => answered).toBeGreaterThan((before[0] ?? 0) + 3);
    await expect.poll(() => heard).toBeGreaterThan((before[1] ?? 0) + 3);

    const fresh = speaking("catalog", atClient, { host: "localhost" });
    expect(await fresh.commitUpload({ uploadId: "u" }, { as: "service" })).toEqual({ sha256: "x" });
    const left = watched("left", ca, ["catalog"]);
    await expect(speaking("catalog", left).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
    running = false;
    await calling;
    stop.abort();
    expect(await stream).toBe("cancelled");
  });

  it("that are broken, or do not fit together yet, change nothing", async () => {
    const atServer = watched("server", ca, ["storage"]);
    const before = atServer.material;
    const nextCa = authority("Next CA");
    const cert = join(folder, "server", "tls.crt");
    for (const half of [
      "",
      "nonsense",
      certificate(ca, ["storage"]).certificate,
      certificate(nextCa, ["x"]).certificate,
    ]) {
      writeFileSync(cert, half);
      atServer.look();
      expect(atServer.material).toBe(before);
    }
    writeCertificate(join(folder, "server"), certificate(nextCa, ["storage"]), [ca]);
    atServer.look();
    expect(atServer.material).toBe(before);
    writeCertificate(join(folder, "server"), certificate(nextCa, ["storage"]), [ca, nextCa]);
    atServer.look();
    expect(atServer.material).not.toBe(before);
    await serve({}, atServer);
    expect(
      await speaking("catalog", watched("catalog", ca, ["catalog"]))
        .getUpload({ uploadId: "u" })
        .catch((e) => e),
    ).toMatchObject(away);
  });
});

describe("names", () => {
  it.each([
    ["127.0.0.1:9090", "127.0.0.1"],
    ["catalog:9090", "catalog"],
    ["dns:///catalog.prod:9090", "catalog.prod"],
    ["dns://10.0.0.1/catalog:9090", "catalog"],
    ["[::1]:9090", "::1"],
    ["ipv4:10.0.0.1:1,10.0.0.2:1", undefined],
  ])("of the target %s: %s", (target, host) => expect(hostOf(target)).toBe(host));

  it("of certificates are those that nobody could mistake", () => {
    const names = (subjectaltname: string | undefined, CN = "") =>
      namesOf({ subject: { CN }, subjectaltname } as never);
    expect(names("DNS:Catalog, DNS:localhost, IP Address:127.0.0.1", "catalog")).toEqual(["catalog", "localhost"]);
    expect(names('DNS:"a, DNS:gateway, b"', "x")).toEqual(["x"]);
    expect(names(undefined, "gateway,catalog")).toEqual([]);
    expect(namesOf(undefined)).toEqual([]);
  });

  it.each([
    ["internal", /expected name=/],
    ["secret=x", /expected one of internal/],
    ["auth=a; auth=b", /twice/],
    ["auth=a|b c", /"b c"/],
    ["auth=", /expected a name/],
  ])("of clients are written as the setting says: not %s", (text, message) => {
    expect(() => parseNameLists(text, rpcGroups)).toThrow(message);
  });
});
