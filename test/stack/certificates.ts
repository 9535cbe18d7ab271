import { join } from "node:path";
import { authority, type CertificateFiles, certificate, writeCertificate } from "../builders/certificates.ts";
import type { PlannedProcess } from "./plan.ts";

type Authority = ReturnType<typeof authority>;

/** The certificates of a stack whose processes speak TLS with each other. */
export class StackCertificates {
  readonly #folder: string;
  readonly #plan: readonly PlannedProcess[];
  #authority = authority();

  constructor(folder: string, plan: readonly PlannedProcess[]) {
    this.#folder = folder;
    this.#plan = plan;
  }

  /** Settings of one process. */
  settingsOf(planned: PlannedProcess): Record<string, string> {
    return settingsOf(this.#write(planned, this.#authority, [this.#authority]));
  }

  /** Settings of the operator's commands. */
  get operatorSettings(): Record<string, string> {
    return settingsOf(this.issue("operator", ["cli"]));
  }

  /** A certificate for a client beside the stack. */
  issue(folder: string, names: readonly string[]): CertificateFiles {
    return writeCertificate(join(this.#folder, folder), certificate(this.#authority, names), [this.#authority]);
  }

  /** Makes another authority known beside the present one, and uses it for what is issued from now on. */
  introduce(): { certify(): void; retire(): void } {
    const old = this.#authority;
    const next = authority("Next Test CA");
    this.#writeAll(old, [old, next]);
    this.#authority = next;
    return {
      /** Gives every process a certificate of the new authority. */
      certify: () => this.#writeAll(next, [old, next]),
      /** Lets the old authority count no more. */
      retire: () => this.#writeAll(next, [next]),
    };
  }

  #writeAll(by: Authority, trusted: readonly Authority[]): void {
    for (const planned of this.#plan) this.#write(planned, by, trusted);
  }

  #write(planned: PlannedProcess, by: Authority, trusted: readonly Authority[]): CertificateFiles {
    const names = planned.hosts.length === 0 ? ["auth", "catalog", "storage", "analytics", "gateway"] : planned.hosts;
    return writeCertificate(join(this.#folder, planned.name), certificate(by, names), trusted);
  }
}

function settingsOf({ cert, key, ca }: CertificateFiles): Record<string, string> {
  return { GRPC_TLS_CERT_FILE: cert, GRPC_TLS_KEY_FILE: key, GRPC_TLS_CA_FILE: ca, GRPC_TLS_RELOAD_SECONDS: "1" };
}
