import { readTlsFiles, type SettingProblem, TlsFileError, type TlsFiles } from "@registry/kit";
import type { AllSettings } from "./settings.ts";

type FileSetting = Extract<keyof AllSettings, `${string}TLS_${string}_FILE`>;
/** Which setting names which file. */
type FileSettings = { readonly [file in keyof TlsFiles]: FileSetting };

const grpc: Required<FileSettings> = {
  cert: "GRPC_TLS_CERT_FILE",
  key: "GRPC_TLS_KEY_FILE",
  ca: "GRPC_TLS_CA_FILE",
};
const http: FileSettings = { cert: "TLS_CERT_FILE", key: "TLS_KEY_FILE" };

/** The files for gRPC between processes, where they are configured. */
export function grpcTlsFiles(settings: AllSettings): TlsFiles | undefined {
  const { GRPC_TLS_CERT_FILE: cert, GRPC_TLS_KEY_FILE: key, GRPC_TLS_CA_FILE: ca } = settings;
  return cert === undefined || key === undefined || ca === undefined ? undefined : { cert, key, ca };
}

/** What is wrong with the certificates that the settings name: some are missing, or what the files hold cannot be used. */
export function tlsProblems(settings: AllSettings, now: Date): SettingProblem[] {
  return [...problemsOf(grpc, settings, now), ...problemsOf(http, settings, now)];
}

function problemsOf(names: FileSettings, settings: AllSettings, now: Date): SettingProblem[] {
  const all = Object.values(names);
  const given = all.filter((name) => settings[name] !== undefined);
  if (given.length === 0) return [];
  if (given.length < all.length) {
    const absent = all.filter((name) => settings[name] === undefined);
    return absent.map((pointer) => ({ pointer, reason: `needed beside ${given.join(" and ")}` }));
  }
  const path = (name: FileSetting | undefined): string | undefined => (name === undefined ? undefined : settings[name]);
  try {
    readTlsFiles({ cert: path(names.cert) ?? "", key: path(names.key) ?? "", ca: path(names.ca) }, now);
    return [];
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    const pointer = names[error.file] ?? names.cert;
    return [{ pointer, reason: `${path(pointer)} ${error.message}` }];
  }
}
