import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Authority,
  createAuthority,
  type Issued,
  issueCertificate,
  type Lifetime,
} from "../../packages/cli/src/certificates/issue.ts";

const hour = 3_600_000;

/** From an hour ago until so many hours from now, which may lie behind us. */
export function lasting(hours = 1): Lifetime {
  return { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hours * hour) };
}

/** An authority of a test's own. */
export function authority(name = "Test CA"): Authority {
  return createAuthority(name, lasting(24));
}

/** A certificate with these names, good for this machine, too. */
export function certificate(by: Authority, names: readonly string[], hours = 1): Issued {
  return issueCertificate(by, [...names, "localhost", "127.0.0.1", "::1"], lasting(hours));
}

/** Paths of the three files of one process. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Writes, or replaces, the files of one process in a folder of its own. */
export function writeCertificate(folder: string, issued: Issued, authorities: readonly Authority[]): CertificateFiles {
  mkdirSync(folder, { recursive: true });
  const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key"), ca: join(folder, "ca.crt") };
  writeFileSync(files.ca, authorities.map((each) => each.certificate).join(""));
  writeFileSync(files.cert, issued.certificate);
  writeFileSync(files.key, issued.key, { mode: 0o600 });
  return files;
}
