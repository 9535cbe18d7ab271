import { Gauge, type Registry } from "prom-client";

/** @returns what has the end of a certificate shown, by what it is used for */
export function exportCertificates(registry: Registry): (use: string, expires: () => Date) => void {
  const certificates = new Map<string, () => Date>();
  new Gauge({
    name: "registry_tls_certificate_expiry_timestamp_seconds",
    help: "When the certificate that is shown to others ends, as Unix time",
    labelNames: ["use"],
    registers: [registry],
    collect() {
      for (const [use, expires] of certificates) this.set({ use }, expires().getTime() / 1000);
    },
  });
  return (use, expires) => void certificates.set(use, expires);
}
