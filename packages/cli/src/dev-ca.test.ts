import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Folders } from "./testing/folders.ts";
import { runProgram } from "./testing/program.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const run = (cwd: string, args: readonly string[], settings: Record<string, string> = {}) =>
  runProgram(folders.root, cwd, args, settings);
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
    for (const service of ["auth", "catalog", "storage", "analytics", "gateway", "cli"]) {
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
