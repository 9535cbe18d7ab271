import { join } from "node:path";
import { connect } from "node:tls";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { anonymous } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authority, certificate, writeCertificate } from "../../../../test/builders/certificates.ts";
import { userCaller } from "../testing.ts";
import type { WatchedTls } from "../tls/watched.ts";
import { parseNameLists, rpcGroups } from "./client-rules.ts";
import { Clients } from "./clients.ts";
import { away, ca, notAllowed, TlsHarness } from "./testing/tls-harness.ts";
import { hostOf, namesOf } from "./tls.ts";

const foreignCa = authority("Foreign CA");
let tls: TlsHarness;
beforeEach(() => {
  tls = new TlsHarness();
});
afterEach(() => tls.close());

describe("a connection", () => {
  it("stands where both ends show a certificate of the authority and the server's carries the name", async () => {
    await tls.serve();
    const catalog = tls.watched("catalog", ca, ["catalog"]);
    expect(await tls.speaking("catalog", catalog).commitUpload({ uploadId: "u" }, { as: "service" })).toEqual({
      sha256: "x",
    });
    expect(await tls.speaking("catalog", catalog, { host: "localhost" }).getUpload({ uploadId: "u" })).toBeDefined();
    expect(
      await tls.speaking("catalog", catalog, { host: "ipv4:127.0.0.1" }).getUpload({ uploadId: "u" }),
    ).toBeDefined();
    expect(
      await tls.speaking("catalog", catalog, { serverName: "storage" }).getUpload({ uploadId: "u" }),
    ).toBeDefined();
  });

  it("is refused where the server's certificate carries another name", async () => {
    await tls.serve();
    const catalog = tls.watched("catalog", ca, ["catalog"]);
    const other = tls.speaking("catalog", catalog, { serverName: "analytics" });
    await expect(other.getUpload({ uploadId: "u" }, { timeoutMs: 3000 })).rejects.toMatchObject(away);
  });

  it("is refused without a certificate, with one of another authority, and with one that has expired", async () => {
    await tls.serve();
    await expect(tls.speaking("catalog", undefined).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
    const foreign = tls.watched("foreign", foreignCa, ["catalog"]);
    await expect(tls.speaking("catalog", foreign).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
    const soon = tls.watched("soon", ca, ["catalog"]);
    writeCertificate(join(tls.folder, "soon"), certificate(ca, ["catalog"], -0.5), [ca]);
    tls.around.clock.advance(-3_000_000);
    soon.look();
    await expect(tls.speaking("catalog", soon).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
  });

  it("is TLS 1.2 or newer, and needs a certificate before anything is said", async () => {
    await tls.serve();
    const { cert, key } = tls.watched("catalog", ca, ["catalog"]).material;
    const said = (options: object): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(
          { host: "127.0.0.1", port: tls.port, ca: ca.certificate, ALPNProtocols: ["h2"], ...options },
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
    await tls.serve();
    const thief = tls.speaking("catalog", tls.watched("analytics", ca, ["analytics"]));
    await expect(thief.commitUpload({ uploadId: "u" }, { as: "service" })).rejects.toMatchObject(notAllowed);
    await expect(thief.getUpload({ uploadId: "u" })).rejects.toMatchObject(notAllowed);
    const outsider = tls.speaking("catalog", tls.watched("outsider", ca, ["outsider"]));
    await expect(outsider.commitUpload({ uploadId: "u" }, { as: "service" })).rejects.toMatchObject(notAllowed);
  });

  it("says who passes a call on, and for which address, only as the service that its certificate names", async () => {
    await tls.serve();
    const context = { ...tls.around.as(anonymous).context, address: "203.0.113.9" };
    const gateway = tls.speaking("gateway", tls.watched("gateway", ca, ["gateway"]));
    const passed = await gateway.getUpload({ uploadId: "u" }, { context } as never);
    expect(passed.upload).toMatchObject({ id: "gateway", name: "203.0.113.9" });
  });

  it("may be several services by one certificate", async () => {
    await tls.serve();
    const single = tls.watched("registry", ca, ["auth", "catalog", "storage", "analytics", "gateway", "registry"]);
    expect(await tls.speaking("catalog", single).commitUpload({ uploadId: "u" }, { as: "service" })).toBeDefined();
    expect(await tls.speaking("gateway", single).check({}, { as: "service" })).toBeDefined();
  });

  it("may be a service by a name that is mapped to it", async () => {
    await tls.serve({ aliases: "catalog=catalog.prod.example.com" });
    const mapped = tls.watched("mapped", ca, ["catalog.prod.example.com"]);
    expect(await tls.speaking("catalog", mapped).commitUpload({ uploadId: "u" }, { as: "service" })).toBeDefined();
    await expect(tls.speaking("gateway", mapped).check({}, { as: "service" })).rejects.toMatchObject(notAllowed);
  });

  it("with a user's token needs a certificate that the group of the RPC is open to", async () => {
    await tls.serve({ clients: "storage=ci" });
    const header = (name: string, value: string): Metadata => {
      const metadata = new Metadata();
      metadata.set("authorization", tls.around.as(userCaller("ann")).context?.authorization ?? "");
      metadata.set(name, value);
      return metadata;
    };
    const call = (files: WatchedTls, method: string, metadata = header("x-nothing", "x")): Promise<string> =>
      new Promise((resolve) => {
        const { ca: roots, key, cert } = files.material;
        const client = new Client(
          `localhost:${tls.port}`,
          credentials.createSsl(roots ?? null, key, cert, { checkServerIdentity: () => undefined }),
        );
        tls.closeLater(() => client.close());
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
    const ci = tls.watched("ci", ca, ["ci"]);
    const other = tls.watched("other", ca, ["other"]);
    expect(await call(ci, "AbortUpload")).toBe("OK");
    expect(await call(other, "AbortUpload")).toBe("PERMISSION_DENIED");
    expect(await call(other, "AbortUpload", header("registry-peer-names", "ci"))).toBe("PERMISSION_DENIED");
    expect(await call(ci, "CommitUpload")).toBe("PERMISSION_DENIED");
  });

  it("may be anybody of the authority where a group is open, which is the default for all but the internal one", async () => {
    await tls.serve();
    const other = tls.watched("other", ca, ["other"]);
    const { port } = tls;
    const addresses = new Map([[StorageServiceDefinition.fullName, `127.0.0.1:${port}`]]);
    const clients = new Clients({ ...tls.around, addresses, tls: { files: other } }, "other");
    tls.closeLater(() => clients.close());
    const client = clients.of(StorageServiceDefinition);
    expect(await client.abortUpload({ uploadId: "u" }, tls.around.as(userCaller("ann")))).toEqual({});
    await expect(client.check({}, { as: "service" })).rejects.toMatchObject(notAllowed);
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
