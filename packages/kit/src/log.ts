import { type Logger, pino } from "pino";
import { scrub } from "./scrub.ts";

export type { Logger } from "pino";

/** Fields that never reach a log, at the top or one below it. */
const secretFields = [
  "authorization",
  "password",
  "current_password",
  "new_password",
  "password_hash",
  "token",
  "apiToken",
  "api_token",
  "internalToken",
  "id_token",
  "access_token",
  "refresh_token",
  "client_secret",
  "clientSecret",
  "secret",
  "secretKey",
  "credential",
  "credentials",
  "ticket",
  "otp",
  "totp",
  "totp_secret",
  "recovery_codes",
  "code_verifier",
  "sealed_state",
  "sealedState",
  "cookie",
  "set-cookie",
];

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

function path(field: string): string {
  return /^\w+$/.test(field) ? field : `["${field}"]`;
}

function below(field: string): string {
  return /^\w+$/.test(field) ? `*.${field}` : `*["${field}"]`;
}

/**
 * JSON lines on standard error: secret fields are removed by name, and from every line whatever looks like a credential.
 * @param secrets values that are removed wherever they stand: those of the settings
 */
export function createLogger(
  level: string,
  base: Record<string, string> = {},
  secrets: readonly string[] = [],
  destination: { write(line: string): void } = pino.destination({ dest: 2, sync: false }),
): Logger {
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secretFields.map(path), ...secretFields.map(below)], censor: "[secret]" },
      // Errors of drivers carry what they were called with in any field: the last word is had on the line itself.
      hooks: { streamWrite: (line) => scrub(line, secrets) },
    },
    destination,
  );
}
