import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authority, certificate, writeCertificate } from "../../../test/builders/certificates.ts";
import { Folders } from "./testing/folders.ts";
import { runProgram } from "./testing/program.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const run = (cwd: string, args: readonly string[], settings: Record<string, string>, until?: RegExp) =>
  runProgram(folders.root, cwd, args, settings, until);

describe("serve with certificates in its settings", () => {
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

describe("serve on one machine", () => {
  const anyPorts = { PORT: "0", GRPC_PORT: "0" };

  it("speaks TLS for gRPC and HTTPS where it is given a certificate", async () => {
    const folder = await folders.empty();
    const names = ["registry", "auth", "catalog", "storage", "analytics", "gateway"];
    const own = authority();
    const { cert, key, ca: authorities } = writeCertificate(join(folder, "tls"), certificate(own, names), [own]);
    const grpc = { GRPC_TLS_CERT_FILE: cert, GRPC_TLS_KEY_FILE: key, GRPC_TLS_CA_FILE: authorities };
    const settings = { ...anyPorts, ...grpc, TLS_CERT_FILE: cert, TLS_KEY_FILE: key, GRPC_HOST: "0.0.0.0" };
    const { out, err } = await run(folder, ["serve"], settings, /open https/);
    expect(out).toMatch(/HTTP {5}https:\/\/127\.0\.0\.1:\d+\n {2}gRPC {5}0\.0\.0\.0:\d+ \(TLS, client certificates\)/);
    expect(err).not.toContain("without TLS");
  });

  it("warns of gRPC that the network can listen to", async () => {
    const folder = await folders.empty();
    const { err } = await run(folder, ["serve"], { ...anyPorts, GRPC_HOST: "0.0.0.0" }, /open http/);
    expect(err.match(/gRPC listens on the network without TLS/g)).toHaveLength(1);
    const loopback = await run(await folders.empty(), ["serve"], anyPorts, /open http/);
    expect(loopback.err).not.toContain("without TLS");
  });
});

describe("serve with passwords in its settings", () => {
  const settings = {
    LOG_LEVEL: "trace",
    PORT: "0",
    GRPC_PORT: "0",
    SECRET_KEY: "a-secret-key-to-look-for-in-the-output",
    S3_ACCESS_KEY: "access-to-look-for",
    S3_SECRET_KEY: "secret-to-look-for",
  };

  it("prints none of them where stores are away", async () => {
    const folder = await folders.empty();
    const mongo = join(folder, "mongo-url");
    writeFileSync(mongo, "mongodb://registry:mongo-to-look-for@127.0.0.1:1/x?serverSelectionTimeoutMS=300\n");
    const { out, err } = await run(
      folder,
      ["serve"],
      {
        ...settings,
        MONGODB_URL_FILE: mongo,
        NATS_URL: "nats://registry:nats-to-look-for@127.0.0.1:2",
        S3_ENDPOINT: "http://127.0.0.1:3",
      },
      /the document store is away[^\n]*\n/,
    );
    expect(err).toContain("the document store is away");
    expect(out + err).not.toMatch(/to-look-for/);
  });

  it("tells by the service's name of what the bus does to it", async () => {
    const names = ["AUTH", "CATALOG", "STORAGE"].map((name) => [`${name}_ADDR`, "127.0.0.1:1"]);
    const { err } = await run(
      await folders.empty(),
      ["serve", "analytics"],
      {
        ...settings,
        ...Object.fromEntries(names),
        MONGODB_URL: "mongodb://127.0.0.1:1/x",
        NATS_URL: "nats://127.0.0.1:2",
        S3_ENDPOINT: "http://127.0.0.1:3",
      },
      /event bus is away[^\n]*\n/,
    );
    expect(err.split("\n").find((line) => line.includes("event bus is away"))).toContain('"service":"analytics"');
  });

  it("prints none of them where they are wrong", async () => {
    const { code, out, err } = await run(await folders.empty(), ["serve"], {
      ...settings,
      MONGODB_URL: "mongodb://registry:mongo-to-look-for@127.0.0.1:999999/x",
      NATS_URL: "http://registry:nats-to-look-for@x",
      S3_ENDPOINT: "ftp://registry:s3-to-look-for@x",
      SECRET_KEY: "short-to-look-for",
    });
    expect(code).toBe(2);
    for (const name of ["MONGODB_URL", "NATS_URL", "S3_ENDPOINT", "SECRET_KEY"]) expect(err).toContain(`  ${name}: `);
    expect(out + err).not.toMatch(/to-look-for/);
  });
});

describe("serve with a collector in its settings", () => {
  it("tells of all that is wrong with them at once, and of no header", async () => {
    const ended = await run(await folders.empty(), ["serve"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
      OTEL_EXPORTER_OTLP_PROTOCOL: "udp",
      OTEL_EXPORTER_OTLP_HEADERS: "hidden-key",
      OTEL_PROPAGATORS: "b3",
      PORT: "x",
    });
    expect([ended.code, ended.out]).toEqual([2, ""]);
    for (const name of ["PORT", "ENDPOINT", "HEADERS", "PROTOCOL"]) expect(ended.err).toMatch(new RegExp(`${name}: `));
    expect(ended.err).not.toMatch(/hidden-key|PROPAGATORS/);
  });

  it("takes the headers from a file of their own, and says where traces go", async () => {
    const folder = await folders.empty();
    writeFileSync(join(folder, "headers"), "authorization=Bearer%20hidden-key\n");
    const settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_HEADERS_FILE: join(folder, "headers"),
      ...{ PORT: "0", GRPC_PORT: "0", OTEL_PROPAGATORS: "b3" },
    };
    const ended = await run(folder, ["serve"], settings, /Try next/);
    expect(ended.out).toContain("traces   http://127.0.0.1:9/v1/traces");
    expect(ended.out + ended.err).not.toContain("hidden-key");
  });
});
