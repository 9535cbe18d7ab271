import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { unavailable } from "@registry/domain";
import type { BusLog, GroupLag } from "../port.ts";
import type { Link } from "./link.ts";

const maxAge = nanos(8 * 24 * 60 * 60 * 1000);
/** Far more than the registry has; some are left over by groups of old. */
const maxGroups = 1000;
/** In the stream's metadata, so that every process sees the same: how often its server was caught having lost events. */
const lossesKey = "registry-losses";

export interface StreamOptions {
  readonly name: string;
  readonly maxBytes: number;
  readonly duplicateSeconds: number;
  readonly timeoutMs: number;
}

interface Position {
  /** Of the stream; changes where it is made anew, or its server was caught having lost events. */
  readonly epoch: string;
  readonly sequence: number;
}

/** The stream that holds the registry's events: made where it is absent, and made again where its server lost it. */
export class Stream {
  readonly #link: Link;
  readonly #options: StreamOptions;
  readonly #log: BusLog;
  /** The highest sequence that the server has given to an event of ours, in that epoch. */
  #highest: Position = { epoch: "", sequence: 0 };
  #epoch = "";
  /** The epoch in which a loss was noticed that is not recorded yet, by this process at least. */
  #lossIn: string | undefined;

  constructor(link: Link, options: StreamOptions, log: BusLog) {
    this.#link = link;
    this.#options = options;
    this.#log = log;
  }

  get name(): string {
    return this.#options.name;
  }

  /** @throws kind `unavailable` */
  async manager(): Promise<JetStreamManager> {
    const connection = await this.#link.connection();
    return await jetstreamManager(connection, { checkAPI: false, timeout: this.#options.timeoutMs });
  }

  /** Makes or widens the stream where that is needed. @throws kind `unavailable` */
  async ensure(): Promise<StreamInfo> {
    const before = this.#highest;
    const manager = await this.manager();
    try {
      const info = await this.#ensure(manager);
      this.#epoch = epochOf(info);
      // A server that has lost what it gave that sequence to: at once, since nobody may publish for long.
      if (before.epoch === this.#epoch && info.state.last_seq < before.sequence) this.#noteLoss(info.state.last_seq);
      return info;
    } catch (error) {
      throw unavailable("The event bus", error);
    }
  }

  async #ensure(manager: JetStreamManager): Promise<StreamInfo> {
    const { name, maxBytes, duplicateSeconds } = this.#options;
    const duplicateWindow = nanos(duplicateSeconds * 1000);
    let found: StreamInfo;
    try {
      found = await manager.streams.info(name);
    } catch (error) {
      if (!isStreamNotFound(error)) throw error;
      this.#log.info({ stream: name }, "event stream made");
      return await manager.streams.add({
        name,
        subjects: ["registry.>"],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.Old,
        max_age: maxAge,
        max_bytes: maxBytes,
        duplicate_window: duplicateWindow,
      });
    }
    const wider = widened(found.config, duplicateWindow);
    return wider === undefined ? found : await manager.streams.update(name, wider);
  }

  /** @throws kind `unavailable` */
  async generation(): Promise<string> {
    const info = await this.ensure();
    return epochOf(this.#lossIn === undefined ? info : await this.#recordLoss(info, this.#lossIn));
  }

  /** @throws kind `unavailable` */
  async lag(): Promise<GroupLag[]> {
    await this.ensure();
    const manager = await this.manager();
    const groups: GroupLag[] = [];
    try {
      for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(this.name)) {
        groups.push({ group: name, waiting: num_pending, underWay: num_ack_pending });
        if (groups.length === maxGroups) break;
      }
    } catch (error) {
      throw unavailable("The event bus", error);
    }
    return groups;
  }

  /** To be asked before an event is sent, and handed to `noteAccepted` with its answer. */
  get highest(): Position {
    return this.#highest;
  }

  /**
   * Learns from the sequence that an event was given. A server that gives out one that an earlier event had has lost
   * that one: it acknowledges events before they are on its disk.
   */
  noteAccepted(before: Position, sequence: number): void {
    const epoch = this.#epoch;
    if (before.epoch === epoch && sequence <= before.sequence) this.#noteLoss(sequence);
    else if (this.#highest.epoch !== epoch || sequence > this.#highest.sequence) this.#highest = { epoch, sequence };
  }

  #noteLoss(sequence: number): void {
    this.#highest = { epoch: this.#epoch, sequence };
    this.#lossIn = this.#epoch;
    this.#log.error({ stream: this.name, sequence }, "event bus has lost events that it had accepted");
  }

  /** Once for all processes that noticed it. */
  async #recordLoss(info: StreamInfo, lossIn: string): Promise<StreamInfo> {
    let recorded = info;
    if (epochOf(info) === lossIn) {
      const manager = await this.manager();
      const metadata = { ...info.config.metadata, [lossesKey]: `${Number(lossesOf(info)) + 1}` };
      try {
        recorded = await manager.streams.update(this.name, { metadata });
      } catch (error) {
        throw unavailable("The event bus", error);
      }
    }
    if (this.#lossIn === lossIn) this.#lossIn = undefined;
    return recorded;
  }
}

const lossesOf = ({ config }: StreamInfo): string => config.metadata?.[lossesKey] ?? "0";

const epochOf = (info: StreamInfo): string => `${info.created}/${lossesOf(info)}`;

/** What is to change so that the stream holds all it has to; larger limits that an operator has set stay. */
function widened(config: StreamConfig, duplicateWindow: number): Partial<StreamConfig> | undefined {
  const change: Partial<StreamConfig> = {};
  if (!config.subjects?.includes("registry.>")) change.subjects = [...(config.subjects ?? []), "registry.>"];
  if (config.max_age !== 0 && config.max_age < maxAge) change.max_age = maxAge;
  if (config.duplicate_window < duplicateWindow) change.duplicate_window = duplicateWindow;
  return Object.keys(change).length === 0 ? undefined : change;
}

export const isStreamNotFound = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
