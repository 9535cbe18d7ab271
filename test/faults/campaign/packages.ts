import { pluginZip } from "../../builders/plugin.ts";
import { sha256 } from "../../e2e/http.ts";
import type { Seeded } from "../seeded.ts";

/** One package as a client sends it, whole, each time the same. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly zip: Uint8Array;
}

/** None that a reader could take for another one, or for a digit. */
const letters = "abcdefghkmnpqrtuwxy";
const mostPlugins = 40;
const mostBallast = 60_000;
/** Larger than what a gateway keeps in memory: these are read from storage each time. */
const largeBallast = 1_500_000;

/** New packages, by chance of old or new plugins, small or large. */
export class Packages {
  readonly #random: Seeded;
  readonly #versions = new Map<string, number>();

  constructor(random: Seeded) {
    this.#random = random;
  }

  next(): Package {
    const name = this.#name();
    const minor = this.#versions.get(name) ?? 0;
    this.#versions.set(name, minor + 1);
    const ballast = this.#random.below(12) === 0 ? largeBallast : this.#random.below(mostBallast);
    return this.#pack(name, `1.${minor}.0`, ballast);
  }

  /** The same name and version with other bytes. */
  other({ name, version }: Package): Package {
    return this.#pack(name, version, mostBallast + this.#random.below(mostBallast));
  }

  #name(): string {
    const known = [...this.#versions.keys()];
    const old = known[this.#random.below(known.length + 1)];
    if (old !== undefined && (known.length >= mostPlugins || this.#random.below(3) > 0)) return old;
    const [first, second] = [known.length % letters.length, Math.floor(known.length / letters.length)];
    return `fault-${letters[first]}${letters[second]}q`;
  }

  #pack(name: string, version: string, ballast: number): Package {
    const zip = pluginZip({ name, version, ballast });
    return { name, version, zip, sha256: sha256(zip) };
  }
}
