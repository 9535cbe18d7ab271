import { type Logger, pino } from "pino";
import { scrub } from "./scrub.ts";
import { activeTrace, type TraceContext } from "./telemetry/context.ts";

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

/** What a line says of the trace that it belongs to, under the names that OpenTelemetry gives them in logs. */
function traceFields(trace: TraceContext | undefined): Record<string, string> {
  return trace === undefined ? {} : { trace_id: trace.traceId, span_id: trace.spanId };
}

function path(field: string): string {
  return /^\w+$/.test(field) ? field : `["${field}"]`;
}

function below(field: string): string {
  return /^\w+$/.test(field) ? `*.${field}` : `*["${field}"]`;
}

/** Where lines go. */
export interface LogOutput {
  write(lines: string): void;
}

/** Standard error. Nothing waits for it. */
export function openLogOutput(): LogOutput {
  return pino.destination({ dest: 2, sync: false });
}

/**
 * JSON lines on standard error: secret fields are removed by name, and from every line whatever looks like a credential.
 * @param secrets values that are removed wherever they stand: those of the settings
 */
export function createLogger(
  level: string,
  base: Record<string, string> = {},
  secrets: readonly string[] = [],
  output: LogOutput = openLogOutput(),
): Logger {
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => traceFields(activeTrace()),
      redact: { paths: [...secretFields.map(path), ...secretFields.map(below)], censor: "[secret]" },
      // Errors of drivers carry what they were called with in any field: the last word is had on the line itself.
      hooks: { streamWrite: (line) => scrub(line, secrets) },
    },
    output,
  );
}

const gatherMs = 100;
const gatherBytes = 64 * 1024;
/** Of one line. */
const longestLine = 4 * 1024;

/** Hands short lines on many at a time, a moment later: one write costs more than many lines. */
export class GatheredLines implements LogOutput {
  readonly #output: LogOutput;
  readonly #bytes = Buffer.allocUnsafeSlow(gatherBytes);
  #length = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: LogOutput) {
    this.#output = output;
  }

  /** @param line up to 1000 characters */
  write(line: string): void {
    if (this.#length + longestLine > gatherBytes) this.flush();
    this.#length += this.#bytes.write(line, this.#length);
    this.#timer ??= setTimeout(() => this.flush(), gatherMs).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#length > 0) this.#output.write(this.#bytes.toString("utf8", 0, this.#length));
    this.#length = 0;
  }
}
