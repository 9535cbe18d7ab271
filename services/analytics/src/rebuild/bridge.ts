import type { Bus } from "@registry/bus";
import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import { Periodic, probe } from "@registry/kit";
import { before } from "../model/time.ts";
import type { RebuildParts } from "./parts.ts";
import { checkReleases } from "./rebuild-releases.ts";

const everyMs = 2000;
/** What happened shortly before the bus went may not have gone out; clocks of replicas may differ by some of it. */
const overlapMs = 60_000;
/** A process that starts without a bus does not know since when there is none. */
const unknownMs = 3600_000;
const timeoutMs = 5000;
const maxPages = 200;
/** Nobody asks how much it was. */
const untold = { mended: () => undefined };

/**
 * While the bus is away, asks the catalog what its events will tell: what is out of sight is named nowhere for longer than
 * seconds. The events change nothing any more when they come.
 */
export class Bridge {
  readonly #parts: RebuildParts;
  readonly #bus: Bus;
  readonly #looking: Periodic;
  #since: Date;

  constructor(parts: RebuildParts, bus: Bus) {
    this.#parts = parts;
    this.#bus = bus;
    const failed = "neither the bus nor the catalog tells what changed, asked again";
    this.#looking = new Periodic(() => this.#look(), { everyMs, log: parts.log, failed });
    this.#since = before(parts.clock.now(), unknownMs);
  }

  start(): void {
    this.#looking.start();
  }

  async #look(): Promise<void> {
    const next = before(this.#parts.clock.now(), overlapMs);
    if (!(await probe(() => this.#bus.ping()))) await this.#askCatalog();
    this.#since = next;
  }

  async #askCatalog(): Promise<void> {
    const catalog = this.#parts.clients.of(MaintenanceServiceDefinition);
    let after = "";
    for (let page = 0; page < maxPages; page++) {
      const request = { after, changedSince: this.#since };
      const { plugins, nextAfter } = await catalog.exportPlugins(request, { as: "service", timeoutMs });
      for (const plugin of plugins) await checkReleases(this.#parts, plugin.name, plugin, untold);
      after = nextAfter;
      if (after === "") break;
    }
  }

  close(): Promise<void> {
    return this.#looking.close();
  }
}
