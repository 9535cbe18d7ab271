import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, and those between it and the authority behind it. */
  readonly cert: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
  /** The authorities whose certificates the other end may show; absent where it shows none. */
  readonly ca?: string | undefined;
}

/** What the files hold, found to fit together. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  /** Names of the certificate, and when it ends: for the log. */
  readonly subject: string;
  readonly expires: Date;
}

/** What is wrong with one of the files. The message holds nothing of their contents. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
  readonly file: keyof TlsFiles;

  constructor(file: keyof TlsFiles, message: string) {
    super(message);
    this.file = file;
  }
}

/** @throws TlsFileError where a file cannot be read, is no PEM, is out of date, or does not fit the others */
export function readTlsFiles(files: TlsFiles, now: Date): TlsMaterial {
  const cert = read(files, "cert");
  const key = read(files, "key");
  const ca = files.ca === undefined ? undefined : read(files, "ca");
  const chain = certificatesIn("cert", cert);
  const [leaf] = chain;
  if (!leaf.checkPrivateKey(privateKeyIn(key))) {
    throw new TlsFileError("key", "is not the private key of the certificate");
  }
  if (leaf.validFromDate > now)
    throw new TlsFileError("cert", `is not valid before ${leaf.validFromDate.toISOString()}`);
  if (leaf.validToDate <= now) throw new TlsFileError("cert", `has expired on ${leaf.validToDate.toISOString()}`);
  if (ca !== undefined && !reaches(leaf, chain, certificatesIn("ca", ca))) {
    throw new TlsFileError("ca", "holds no authority that the certificate comes from");
  }
  try {
    createSecureContext({ cert, key, ca });
  } catch (error) {
    throw new TlsFileError("cert", `cannot be used (${(error as Error).message})`);
  }
  const subject = leaf.subjectAltName ?? leaf.subject;
  return { cert, key, ca, subject, expires: leaf.validToDate };
}

function read(files: TlsFiles, file: keyof TlsFiles): Buffer {
  try {
    return readFileSync(files[file] ?? "");
  } catch (error) {
    throw new TlsFileError(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
}

function certificatesIn(file: keyof TlsFiles, pem: Buffer): [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const [first, ...others] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return [first, ...others];
  } catch {
    // Said below, without what the file holds.
  }
  throw new TlsFileError(file, "holds no PEM certificate");
}

function privateKeyIn(pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TlsFileError("key", "holds no PEM private key that can be used without a passphrase");
  }
}

/** Whether the certificate leads to one of the authorities, by way of those that came with it. */
function reaches(leaf: X509Certificate, chain: readonly X509Certificate[], authorities: readonly X509Certificate[]) {
  const signed = (by: X509Certificate, one: X509Certificate): boolean =>
    one.checkIssued(by) && one.verify(by.publicKey);
  let current: X509Certificate | undefined = leaf;
  for (let step = 0; step <= chain.length && current !== undefined; step += 1) {
    const one: X509Certificate = current;
    if (authorities.some((authority) => signed(authority, one))) return true;
    current = chain.find((next) => next !== one && signed(next, one));
  }
  return false;
}
