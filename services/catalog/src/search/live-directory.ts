import { isDeepStrictEqual } from "node:util";
import type { PluginDocument } from "../model/plugin.ts";
import { Directory } from "./directory.ts";
import type { TextIndex } from "./port.ts";

/** A directory that is being built beside the one that answers. */
export interface Rebuilding {
  /** A plugin was put as the store has it. */
  check(name: string): void;
  /** The new one answers from now on. @returns names that the one before had not known as the store has them */
  finish(): readonly string[];
  cancel(): void;
}

/** The directory that answers, and its replacement while there is one: what changes meanwhile goes into both. */
export class LiveDirectory {
  readonly #createText: () => TextIndex;
  #current: Directory;
  #next: Directory | undefined;

  constructor(createText: () => TextIndex) {
    this.#createText = createText;
    this.#current = new Directory(createText());
  }

  get current(): Directory {
    return this.#current;
  }

  /** @returns what is new to the one that answers */
  put(plugin: PluginDocument): ReturnType<Directory["put"]> {
    this.#next?.put(plugin);
    return this.#current.put(plugin);
  }

  /** One at a time. */
  rebuild(): Rebuilding {
    const next = new Directory(this.#createText());
    const mended = new Set<string>();
    this.#next = next;
    return {
      check: (name) => {
        // What was behind has caught up by now; what still differs would have stayed wrong.
        if (!isDeepStrictEqual(this.#current.documentOf(name), next.documentOf(name))) mended.add(name);
      },
      finish: () => {
        for (const name of this.#current.names()) if (next.documentOf(name) === undefined) mended.add(name);
        next.markLoaded();
        this.#current = next;
        this.#next = undefined;
        return [...mended];
      },
      cancel: () => {
        this.#next = undefined;
      },
    };
  }
}
