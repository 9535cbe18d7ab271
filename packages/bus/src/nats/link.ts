import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, connect, type NatsConnection, type Status } from "@nats-io/transport-node";
import { unavailable } from "@registry/domain";
import { anySignal } from "@registry/kit/any-signal";
import { withDeadline } from "../deadline.ts";
import type { BusLog } from "../port.ts";

/** Between attempts to connect; the whole outage is spanned by them, however long it is. */
const retryMs = 500;

interface LinkEvents {
  /** A connection is there, for the first time or again. */
  up: [NatsConnection];
  down: [];
}

/** The connection to the server, tried for as long as the process lives. */
export class Link extends EventEmitter<LinkEvents> {
  readonly #options: ConnectionOptions;
  readonly #timeoutMs: number;
  readonly #log: BusLog;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #connection: NatsConnection | undefined;
  #up = false;

  constructor(options: ConnectionOptions, timeoutMs: number, log: BusLog) {
    super();
    this.setMaxListeners(0);
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#ended = this.#keep();
  }

  /** @throws kind `unavailable` where there is none within the deadline */
  async connection(): Promise<NatsConnection> {
    if (this.#closing.signal.aborted) throw unavailable("The event bus");
    if (this.#up && this.#connection !== undefined) return this.#connection;
    const signal = anySignal(this.#closing.signal, AbortSignal.timeout(this.#timeoutMs));
    try {
      const [connection] = await once(this, "up", { signal });
      return connection;
    } catch (error) {
      throw unavailable("The event bus", error);
    }
  }

  /** Sends what is still to be sent, for as long as a call may take, and ends the connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    const connection = this.#connection;
    if (connection !== undefined) {
      const late = (): Error => new Error("The connection did not drain in time");
      if (this.#up) await withDeadline(this.#timeoutMs, late, () => connection.drain()).catch(() => undefined);
      await connection.close();
    }
    await this.#ended;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#live(await connect(this.#options));
        attempt = 0;
      } catch (error) {
        if (attempt === 1) this.#log.warn({ err: error }, "event bus is away, trying on");
      }
      await pause(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #live(connection: NatsConnection): Promise<void> {
    if (this.#closing.signal.aborted) return await connection.close();
    this.#connection = connection;
    this.#turn(true);
    void this.#follow(connection.status());
    await connection.closed();
    this.#connection = undefined;
    this.#turn(false);
  }

  async #follow(statuses: AsyncIterable<Status>): Promise<void> {
    for await (const status of statuses) {
      if (status.type === "disconnect") this.#turn(false);
      if (status.type === "reconnect") this.#turn(true);
      if (status.type === "error") this.#log.warn({ err: status.error }, "event bus reported an error");
    }
  }

  #turn(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    if (up && this.#connection !== undefined) {
      this.#log.info({}, "event bus connected");
      this.emit("up", this.#connection);
    } else {
      if (!this.#closing.signal.aborted) this.#log.warn({}, "event bus connection lost");
      this.emit("down");
    }
  }
}
