import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { RegistryError } from "@registry/domain";
import { ownNames, systemClock } from "@registry/kit";
import { type Authority, createAuthority, type Issued, issueCertificate, type Lifetime } from "./certificates/issue.ts";

export interface DevCaCommand {
  /** Comma-separated; besides the registry's own. */
  readonly names?: string | undefined;
  readonly days: string;
  readonly force?: boolean | undefined;
}

const dayMs = 86_400_000;
/** Clocks of other machines may be a little behind. */
const headStartMs = 5 * 60_000;
const hereToo = ["localhost", "127.0.0.1", "::1"];

/** One certificate to make: the folder's name, and what it is good for. */
interface Wanted {
  readonly folder: string;
  readonly names: readonly string[];
}

/**
 * Makes an authority for development and a certificate for each program, with keys that only their owner may read.
 * @returns the exit code: 1 where something is in the way
 */
export function devCa(folder: string, { names, days, force = false }: DevCaCommand): number {
  const wanted = [
    ...ownNames.map(ownCertificate),
    ...furtherNames(names).map((name) => ({ folder: name, names: [name] })),
  ];
  const lifetime = lifetimeOf(days);
  const files = ["ca.crt", "ca.key", ...wanted.flatMap((one) => [`${one.folder}/tls.crt`, `${one.folder}/tls.key`])];
  const inTheWay = files.filter((file) => existsSync(join(folder, file)));
  if (inTheWay.length > 0 && !force) {
    process.stderr.write(
      `${join(folder, inTheWay[0] ?? "")} is there already and was left as it is; --force replaces it\n`,
    );
    return 1;
  }
  const authority = createAuthority("AgentiCraft Registry development CA", lifetime);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  write(folder, "ca", authority);
  for (const { folder: name, names: own } of wanted) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    write(join(folder, name), "tls", issueCertificate(authority, [...own, ...hereToo], lifetime));
  }
  process.stdout.write(`${summary(folder, authority, wanted)}\n`);
  process.stderr.write(
    "For development only: whoever reads ca.key can be any service. Use your own authority elsewhere.\n",
  );
  return 0;
}

/** The single program is every service at once, and its operator uses its settings. */
function ownCertificate(name: string): Wanted {
  return {
    folder: name,
    names: name === "registry" ? ownNames.toSorted((a, b) => Number(b === name) - Number(a === name)) : [name],
  };
}

function furtherNames(text = ""): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && !ownNames.includes(name));
  const bad = names.find((name) => !/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(name) || isIP(name) !== 0);
  if (bad === undefined) return [...new Set(names)];
  throw new RegistryError("invalid_argument", "INVALID_NAME", `--names: ${JSON.stringify(bad)} is no DNS name`);
}

function lifetimeOf(days: string): Lifetime {
  if (!/^[1-9]\d{0,3}$/.test(days) || Number(days) > 3650) {
    throw new RegistryError("invalid_argument", "INVALID_DAYS", "--days: expected a whole number from 1 to 3650");
  }
  const now = systemClock.now().getTime();
  return { notBefore: new Date(now - headStartMs), notAfter: new Date(now + Number(days) * dayMs) };
}

/** Each file is whole at every moment, since a running registry may be reading it. */
function write(folder: string, name: string, { certificate, key }: Issued): void {
  const put = (file: string, content: string, mode: number): void => {
    const path = join(folder, file);
    writeFileSync(`${path}.tmp`, content, { mode });
    renameSync(`${path}.tmp`, path);
  };
  put(`${name}.key`, key, 0o600);
  put(`${name}.crt`, certificate, 0o644);
}

function summary(folder: string, authority: Authority, wanted: readonly Wanted[]): string {
  const { validTo } = new X509Certificate(authority.certificate);
  return [
    `Wrote ${join(folder, "ca.crt")} and certificates for ${wanted.map((one) => one.folder).join(", ")}; they end on ${validTo}.`,
    "The single program with TLS for gRPC and HTTPS for clients:",
    ...settingsLines(folder, "registry"),
    `  TLS_CERT_FILE=${join(folder, "registry", "tls.crt")}`,
    `  TLS_KEY_FILE=${join(folder, "registry", "tls.key")}`,
    "A process of its own for each service, for example catalog:",
    ...settingsLines(folder, "catalog"),
    "Call it, for example:",
    `  grpcurl -cacert ${join(folder, "ca.crt")} -cert ${join(folder, "cli", "tls.crt")} -key ${join(folder, "cli", "tls.key")} localhost:9090 list`,
  ].join("\n");
}

function settingsLines(folder: string, name: string): string[] {
  return [
    `  GRPC_TLS_CERT_FILE=${join(folder, name, "tls.crt")}`,
    `  GRPC_TLS_KEY_FILE=${join(folder, name, "tls.key")}`,
    `  GRPC_TLS_CA_FILE=${join(folder, "ca.crt")}`,
  ];
}
