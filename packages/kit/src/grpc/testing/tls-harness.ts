import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { authority, certificate, writeCertificate } from "../../../../../test/builders/certificates.ts";
import { createTestSurroundings, type TestSurroundings } from "../../testing.ts";
import { WatchedTls } from "../../tls/watched.ts";
import { ClientRules, parseNameLists, rpcGroups } from "../client-rules.ts";
import { Clients } from "../clients.ts";
import { Pipeline } from "../pipeline.ts";
import { type GrpcServer, startGrpcServer } from "../server.ts";
import { anyOf, anyone, defineService, type ServiceClient, services, users } from "../table.ts";

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

export const ca = authority();

type Issue = Parameters<typeof certificate>;

/** One server that asks for certificates, and clients that show some. */
export class TlsHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "kit-tls-"));
  readonly around: TestSurroundings = createTestSurroundings();
  readonly #closers: (() => void)[] = [];
  #server: GrpcServer | undefined;

  /** @param issued by whom, for which names, and until when */
  watched(name: string, ...issued: Issue): WatchedTls {
    const { clock, log } = this.around;
    const files = writeCertificate(join(this.folder, name), certificate(...issued), [issued[0]]);
    const tls = new WatchedTls(files, { clock, log, everySeconds: 3600 });
    this.closeLater(() => tls.close());
    return tls;
  }

  async serve({ clients = "", aliases = "" } = {}, tls = this.watched("server", ca, ["storage"])): Promise<void> {
    const rules = new ClientRules({
      groups: parseNameLists(clients, rpcGroups),
      aliases: parseNameLists(aliases, ["catalog", "gateway"]),
    });
    const { identity, log, metrics, ids } = this.around;
    const pipeline = new Pipeline({ identity, clients: rules, anonymousRead: true, log, metrics, newId: ids.unique });
    this.#server = await startGrpcServer([table], pipeline, { host: "127.0.0.1", port: 0 }, { tls: { files: tls } });
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** A client that speaks as a service and shows a certificate; both as the test likes. */
  speaking(
    service: string,
    files: WatchedTls | undefined,
    { host = "127.0.0.1", serverName = "" } = {},
  ): ServiceClient<typeof StorageServiceDefinition> {
    const addresses = new Map([[StorageServiceDefinition.fullName, `${host}:${this.port}`]]);
    const tls = files === undefined ? undefined : { files, serverName: serverName || undefined };
    const clients = new Clients({ ...this.around, addresses, tls }, service);
    this.closeLater(() => clients.close());
    return clients.of(StorageServiceDefinition);
  }

  closeLater(close: () => void): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) close();
    await this.#server?.close(100);
    this.around.close();
    rmSync(this.folder, { recursive: true });
  }
}

export const away = { kind: "unavailable" };
export const notAllowed = { kind: "permission_denied", reason: "CLIENT_NOT_ALLOWED" };
