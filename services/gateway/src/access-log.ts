import type { LogOutput, TraceContext } from "@registry/kit";

/** How an exchange with a client ended; nothing in it that a client could have put a secret or a line's end into. */
export interface Ended {
  readonly method: string;
  /** Template of the path; undefined where no route matched. */
  readonly route: string | undefined;
  readonly status: number;
  readonly durationMs: number;
  /** Of the body; of all that was sent where the answer broke off. */
  readonly bytes: number;
  /** `[\w-]{1,64}` */
  readonly requestId: string;
  readonly userId?: number | undefined;
  /** The client went before it had everything. */
  readonly aborted?: boolean;
}

/**
 * One JSON line for each request, as the logger writes its own. It is put together here, since an answer from memory takes
 * less time than the logger does over a line.
 */
export class AccessLog {
  readonly #output: LogOutput;
  readonly #endpoints = new Map<string, Map<string, string>>();
  #ms = 0;
  #time = "";

  constructor(output: LogOutput) {
    this.#output = output;
  }

  /** @param client a word of `clientKind` */
  write(ended: Ended, client: string, trace: TraceContext | undefined): void {
    const traced = trace === undefined ? "" : `,"trace_id":"${trace.traceId}","span_id":"${trace.spanId}"`;
    this.#output.write(
      `{"level":"info","time":"${this.#now()}","service":"gateway"${traced},"request_id":"${ended.requestId}",` +
        `${this.#endpoint(ended.method, ended.route)},"status":${ended.status},` +
        `"duration_ms":${Math.round(ended.durationMs * 1000) / 1000},"bytes":${ended.bytes},` +
        `"user":${ended.userId ?? '"anonymous"'},"client":"${client}"` +
        `${ended.aborted === true ? ',"aborted":true' : ""},"msg":"request"}\n`,
    );
  }

  /** Many lines share a millisecond. */
  #now(): string {
    const ms = Date.now();
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#time = new Date(ms).toISOString();
    }
    return this.#time;
  }

  /** Routes and methods are few, and known. */
  #endpoint(method: string, route = "unmatched"): string {
    const methods = this.#endpoints.get(route) ?? new Map<string, string>();
    const known = methods.get(method);
    if (known !== undefined) return known;
    const made = `"method":${JSON.stringify(method)},"route":${JSON.stringify(route)}`;
    this.#endpoints.set(route, methods.set(method, made));
    return made;
  }
}
