import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authority, certificate, writeCertificate } from "../../../test/builders/certificates.ts";
import { Folders } from "./testing/folders.ts";
import { run as runProgram } from "./testing/run.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const run = (cwd: string, args: readonly string[], settings: Record<string, string> = {}) =>
  runProgram(cwd, args, settings, join(folders.root, "compiled"));
const read = (...path: string[]): string => readFileSync(join(...path), "utf8");

describe("dev-ca", () => {
  it("makes an authority and a certificate for each program, whose keys nobody else can read", async () => {
    const folder = await folders.empty();
    const { code, out, err } = await run(folder, [
      "dev-ca",
      "tls",
      "--names",
      "ci,Reporting.Example.com",
      "--days",
      "7",
    ]);
    expect(code).toBe(0);
    expect(err).toContain("development only");
    const ca = new X509Certificate(read(folder, "tls", "ca.crt"));
    expect(ca.ca).toBe(true);
    const names = [
      "auth",
      "catalog",
      "storage",
      "analytics",
      "gateway",
      "registry",
      "cli",
      "ci",
      "reporting.example.com",
    ];
    for (const name of names) {
      const leaf = new X509Certificate(read(folder, "tls", name, "tls.crt"));
      expect([name, leaf.ca, leaf.checkIssued(ca), leaf.verify(ca.publicKey)]).toEqual([name, false, true, true]);
      for (const host of [name, "localhost"]) expect(leaf.checkHost(host, { subject: "never" })).toBe(host);
      for (const address of ["127.0.0.1", "::1"]) expect(leaf.checkIP(address)).toBe(address);
      expect(leaf.validToDate.getTime() - Date.now()).toBeLessThan(7 * 86_400_000);
      expect(statSync(join(folder, "tls", name, "tls.key")).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(folder, "tls", "ca.key")).mode & 0o777).toBe(0o600);
    const single = new X509Certificate(read(folder, "tls", "registry", "tls.crt"));
    for (const service of ["auth", "catalog", "storage", "analytics", "gateway"]) {
      expect(single.checkHost(service)).toBe(service);
    }
    expect(out).toContain(`GRPC_TLS_CA_FILE=${join("tls", "ca.crt")}`);
  });

  it("never overwrites, unless it is told to", async () => {
    const folder = await folders.empty();
    expect((await run(folder, ["dev-ca", "tls"])).code).toBe(0);
    const before = read(folder, "tls", "ca.crt");
    const refused = await run(folder, ["dev-ca", "tls"]);
    expect(refused).toMatchObject({ code: 1, out: "", err: expect.stringContaining("--force") });
    expect(read(folder, "tls", "ca.crt")).toBe(before);
    rmSync(join(folder, "tls", "ca.crt"));
    expect((await run(folder, ["dev-ca", "tls"])).code).toBe(1);
    expect((await run(folder, ["dev-ca", "tls", "--force"])).code).toBe(0);
    expect(read(folder, "tls", "ca.crt")).not.toBe(before);
  });

  it.each([
    ["--names", "a b"],
    ["--names", "10.0.0.1"],
    ["--names", "../x"],
    ["--days", "0"],
    ["--days", "99999"],
    ["--days", "x"],
  ])("refuses %s %s, naming it", async (option, value) => {
    const folder = await folders.empty();
    const { code, err } = await run(folder, ["dev-ca", "tls", option, value]);
    expect([code, err.startsWith(`${option}: `)]).toEqual([2, true]);
  });
});

describe("serve", () => {
  const ca = authority();
  const refusal = async (settings: Record<string, string>): Promise<string[]> => {
    const ended = await run(await folders.empty(), ["serve"], settings);
    expect([ended.code, ended.out]).toEqual([2, ""]);
    return ended.err.split("\n").filter((line) => line.startsWith("  "));
  };

  it("tells of certificates that are half configured, all at once", async () => {
    expect(await refusal({ GRPC_TLS_CERT_FILE: "a", TLS_KEY_FILE: "b", GRPC_CLIENTS: "other=x" })).toEqual([
      expect.stringMatching(/^ {2}GRPC_CLIENTS: "other": expected one of internal, auth/),
      "  GRPC_TLS_KEY_FILE: needed beside GRPC_TLS_CERT_FILE",
      "  GRPC_TLS_CA_FILE: needed beside GRPC_TLS_CERT_FILE",
      "  TLS_CERT_FILE: needed beside TLS_KEY_FILE",
    ]);
  });

  it("tells of files that cannot be used, and of a misspelt setting", async () => {
    const folder = await folders.empty();
    const good = writeCertificate(folder, certificate(ca, ["registry"]), [ca]);
    const foreign = writeCertificate(join(folder, "foreign"), certificate(ca, ["registry"]), [authority("Other")]);
    const expired = writeCertificate(join(folder, "expired"), certificate(ca, ["registry"], -0.5), [ca]);
    writeFileSync(join(folder, "empty"), "");
    const settings = ({ cert, key, ca: authorities } = good) => ({
      GRPC_TLS_CERT_FILE: cert,
      GRPC_TLS_KEY_FILE: key,
      GRPC_TLS_CA_FILE: authorities,
    });
    const absent = join(folder, "absent");
    expect(await refusal({ ...settings(), GRPC_TLS_KEY_FILE: absent })).toEqual([
      `  GRPC_TLS_KEY_FILE: ${absent} cannot be read (ENOENT)`,
    ]);
    expect(await refusal({ ...settings(), GRPC_TLS_KEY_FILE: foreign.key, GRPC_TLS_KYE_FILE: "x" })).toEqual([
      expect.stringContaining("GRPC_TLS_KYE_FILE: no such setting"),
      `  GRPC_TLS_KEY_FILE: ${foreign.key} is not the private key of the certificate`,
    ]);
    expect(await refusal(settings(foreign))).toEqual([
      `  GRPC_TLS_CA_FILE: ${foreign.ca} holds no authority that the certificate comes from`,
    ]);
    expect(await refusal({ ...settings(), GRPC_TLS_CERT_FILE: join(folder, "empty") })).toEqual([
      `  GRPC_TLS_CERT_FILE: ${join(folder, "empty")} holds no PEM certificate`,
    ]);
    expect(await refusal({ TLS_CERT_FILE: expired.cert, TLS_KEY_FILE: expired.key })).toEqual([
      expect.stringMatching(/^ {2}TLS_CERT_FILE: .*expired.* has expired on /),
    ]);
  });
});
