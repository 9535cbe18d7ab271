import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Fields that never reach a log, wherever they stand. */
const secretFields = [
  "authorization",
  "password",
  "token",
  "secret",
  "credential",
  "internalToken",
  "ticket",
  "cookie",
];

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** JSON lines on standard error, secrets removed. */
export function createLogger(level: string, base: Record<string, string> = {}): Logger {
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secretFields, ...secretFields.map((field) => `*.${field}`)], censor: "[secret]" },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
