import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authority, certificate, writeCertificate } from "../../../../test/builders/certificates.ts";
import { away, ca, TlsHarness } from "./testing/tls-harness.ts";

let tls: TlsHarness;
beforeEach(() => {
  tls = new TlsHarness();
});
afterEach(() => tls.close());

describe("new files", () => {
  it("count for new connections at both ends, while those that stand go on and no call fails", async () => {
    const atServer = tls.watched("server", ca, ["storage"]);
    const atClient = tls.watched("catalog", ca, ["catalog"]);
    await tls.serve({}, atServer);
    const steady = tls.speaking("catalog", atClient);
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
      writeCertificate(join(tls.folder, "server"), certificate(by, ["storage"]), trusted);
      writeCertificate(join(tls.folder, "catalog"), certificate(by, ["catalog"]), trusted);
      atServer.look();
      atClient.look();
    };
    renew(ca, [ca, nextCa]);
    renew(nextCa, [ca, nextCa]);
    renew(nextCa, [nextCa]);
    const before = [answered, heard];
    await expect.poll(() => answered).toBeGreaterThan((before[0] ?? 0) + 3);
    await expect.poll(() => heard).toBeGreaterThan((before[1] ?? 0) + 3);

    const fresh = tls.speaking("catalog", atClient, { host: "localhost" });
    expect(await fresh.commitUpload({ uploadId: "u" }, { as: "service" })).toEqual({ sha256: "x" });
    const left = tls.watched("left", ca, ["catalog"]);
    await expect(tls.speaking("catalog", left).getUpload({ uploadId: "u" })).rejects.toMatchObject(away);
    running = false;
    await calling;
    stop.abort();
    expect(await stream).toBe("cancelled");
  });

  it("that are broken, or do not fit together yet, change nothing", async () => {
    const atServer = tls.watched("server", ca, ["storage"]);
    const before = atServer.material;
    const nextCa = authority("Next CA");
    const cert = join(tls.folder, "server", "tls.crt");
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
    writeCertificate(join(tls.folder, "server"), certificate(nextCa, ["storage"]), [ca]);
    atServer.look();
    expect(atServer.material).toBe(before);
    writeCertificate(join(tls.folder, "server"), certificate(nextCa, ["storage"]), [ca, nextCa]);
    atServer.look();
    expect(atServer.material).not.toBe(before);
    await tls.serve({}, atServer);
    expect(
      await tls
        .speaking("catalog", tls.watched("catalog", ca, ["catalog"]))
        .getUpload({ uploadId: "u" })
        .catch((e) => e),
    ).toMatchObject(away);
  });
});
