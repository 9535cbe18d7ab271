import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { readTlsFiles, TlsFileError, type TlsFiles, type TlsMaterial } from "./files.ts";

export interface WatchedTlsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** How often the files are looked at. */
  readonly everySeconds: number;
}

/**
 * A certificate, its key and its authorities, read again while the process runs: what is new in the files counts for new
 * connections, and those that stand go on. Files that do not hold, or do not fit together yet, change nothing.
 */
export class WatchedTls {
  readonly #files: TlsFiles;
  readonly #deps: WatchedTlsDeps;
  readonly #listeners = new Set<(material: TlsMaterial) => void>();
  readonly #timer: NodeJS.Timeout;
  #material: TlsMaterial;
  #toldProblem = "";

  /** @throws TlsFileError */
  constructor(files: TlsFiles, deps: WatchedTlsDeps) {
    this.#files = files;
    this.#deps = deps;
    this.#material = readTlsFiles(files, deps.clock.now());
    // Looked at and not subscribed to: of files that are links, or lie on other machines, no system tells reliably.
    this.#timer = setInterval(() => this.look(), deps.everySeconds * 1000).unref();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** @returns what ends it */
  onChange(listener: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes what the files hold now, where that is new and good. */
  look(): void {
    const { clock, log } = this.#deps;
    try {
      const found = readTlsFiles(this.#files, clock.now());
      this.#toldProblem = "";
      if (same(found, this.#material)) return;
      this.#material = found;
      for (const listener of this.#listeners) listener(found);
      log.info({ subject: found.subject, expires: found.expires }, "new certificate files are used from now on");
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      const problem = `${this.#files[error.file]} ${error.message}`;
      if (problem === this.#toldProblem) return;
      this.#toldProblem = problem;
      log.error({ problem }, "certificate files cannot be used; those from before stay in use");
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }
}

function same(a: TlsMaterial, b: TlsMaterial): boolean {
  const authorities = a.ca === undefined || b.ca === undefined ? a.ca === b.ca : a.ca.equals(b.ca);
  return authorities && a.cert.equals(b.cert) && a.key.equals(b.key);
}
