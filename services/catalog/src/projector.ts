import type { Event } from "@registry/bus";
import type { PluginName } from "@registry/domain";
import type { Clock } from "@registry/kit";
import type { EventMaker } from "./events.ts";
import type { Descriptive } from "./model/descriptive.ts";
import { type PluginDocument, shownVisibility } from "./model/plugin.ts";
import { isProjected, latestFor, pinsOf, project } from "./model/project.ts";
import { type ReleaseHead, releaseId } from "./model/release.ts";
import { untilWritten } from "./retry.ts";
import type { PluginStore } from "./store/plugins.ts";
import type { ReleaseStore } from "./store/releases.ts";

type Editable =
  | ("visibility" | "verified" | "owner" | "ownerId" | "org" | "team" | "collaborators")
  | ("overrides" | "pins" | "deletion" | "deprecation");

/** A change of what does not follow from releases. */
export interface PluginEdit {
  readonly set?: Partial<Pick<PluginDocument, Editable>>;
  readonly unset?: readonly ("deletion" | "deprecation" | "org" | "team" | "collaborators")[];
  /** Tells of it, in the same write. */
  readonly event?: (after: PluginDocument, revision: number) => Event;
}

/**
 * Decides on the plugin as it is; asked again where another write comes first.
 * @returns undefined where there is nothing to change
 */
export type Decide = (plugin: PluginDocument, heads: readonly ReleaseHead[]) => PluginEdit | undefined;

/**
 * Makes a plugin document follow its releases. It always computes from what the releases are, so it may run at any time,
 * any number of times, on any replica.
 */
export class Projector {
  readonly #plugins: PluginStore;
  readonly #releases: ReleaseStore;
  readonly #clock: Clock;
  readonly #events: EventMaker;
  readonly #learned: (plugin: PluginDocument) => void;

  /** @param learned told of every plugin that was written, before the answer goes out */
  constructor(
    plugins: PluginStore,
    releases: ReleaseStore,
    clock: Clock,
    events: EventMaker,
    learned: (plugin: PluginDocument) => void,
  ) {
    this.#plugins = plugins;
    this.#releases = releases;
    this.#clock = clock;
    this.#events = events;
    this.#learned = learned;
  }

  /** @returns the plugin as it is now, or null if there is none of that name */
  async project(name: PluginName, decide?: Decide): Promise<PluginDocument | null> {
    const done = await untilWritten(async () => {
      const plugin = await this.#plugins.get(name);
      if (plugin === null) return { plugin, heads: [] };
      const heads = await this.#releases.heads(name);
      const written = await this.#write(plugin, heads, decide?.(plugin, heads));
      return written === null ? undefined : { plugin: written, heads };
    });
    if (done.plugin === null) return null;
    this.#learned(done.plugin);
    for (const head of done.heads) if (head.projectSince !== undefined) await this.#releases.followed(head);
    return done.plugin;
  }

  async #write(
    before: PluginDocument,
    heads: readonly ReleaseHead[],
    edit: PluginEdit | undefined,
  ): Promise<PluginDocument | null> {
    const edited: PluginDocument = { ...before, ...edit?.set };
    const pins = pinsOf(edited, heads);
    const described = await this.#describedBy(edited._id, latestFor(pins, heads));
    const needing = await this.#releases.dependencies.of(edited._id);
    const projection = project(edited, heads, pins, needing, described);
    const highest = heads.reduce(
      (high, head) => Math.max(high, head.projectSince === undefined ? 0 : head.revision),
      0,
    );
    const published = before.published || projection.listed + projection.tombstones > 0;
    const follows =
      isProjected(before, projection, pins) && highest <= before.revision && published === before.published;
    if (follows && edit === undefined) return before;
    // A release that became visible brings the revision that was reserved for it; an edit takes one nobody has.
    const next = edit === undefined ? before.revision + 1 : Math.max(before.revision, before.sequence) + 1;
    const revision = Math.max(next, highest);
    const now = this.#clock.now();
    const created = published && !before.published ? { createdAt: now } : {};
    const set = { ...edit?.set, ...projection, ...created, pins, published, updatedAt: now };
    const after: PluginDocument = { ...edited, ...set };
    const event = published ? this.#eventOf(edit, before, after, revision) : undefined;
    return this.#plugins.swap(before, revision, { set, unset: edit?.unset ?? [], ...(event && { event }) });
  }

  /** Nobody is told of a plugin that nobody has seen. */
  #eventOf(
    edit: PluginEdit | undefined,
    before: PluginDocument,
    after: PluginDocument,
    revision: number,
  ): Event | undefined {
    return edit?.event === undefined ? this.#crossing(before, after, revision) : edit.event(after, revision);
  }

  /** The last listed release went, or the first came back. */
  #crossing(before: PluginDocument, after: PluginDocument, revision: number): Event | undefined {
    const crossed = before.published && before.listed > 0 !== after.listed > 0;
    if (!crossed) return undefined;
    const told = { plugin: after._id, visibility: shownVisibility(after), updatedBy: "", revision };
    return this.#events.make("registry.catalog.plugin.updated", after._id, told);
  }

  async #describedBy(name: PluginName, latest: string): Promise<Descriptive | undefined> {
    if (latest === "") return undefined;
    return (await this.#releases.full(releaseId(name, latest)))?.described;
  }
}
