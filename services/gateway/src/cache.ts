import type { CacheFigures, Clock } from "@registry/kit";

/** Tag of what every change touches: lists, searches and counts of plugins. */
export const everyChange = "*";

/** Says that a value was read before a certain change. */
export type Lease = number;

interface Kept<V> {
  readonly value: V;
  readonly weight: number;
  readonly tags: readonly string[];
  readonly expiresAt: number;
  /** Asked for since it was last considered for eviction. */
  used: boolean;
}

export interface CacheOptions {
  readonly clock: Clock;
  readonly maxBytes: number;
  /** Whether what is kept may be believed at this moment. */
  readonly trusted: () => boolean;
  /** Upper bound on how long a lost or late announcement can matter. */
  readonly maxAgeMs: number;
}

/**
 * What was read for anonymous callers, kept as long as every change since then is known. Bounded by bytes; what is
 * asked for stays longest. A change of a name drops what carries that name, and everything that carries `everyChange`.
 */
export class TrustedCache<V> {
  readonly #options: CacheOptions;
  readonly #kept = new Map<string, Kept<V>>();
  readonly #keysOf = new Map<string, Set<string>>();
  #bytes = 0;
  #generation = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#kept.size;
  }

  get figures(): CacheFigures {
    return { hits: this.#hits, misses: this.#misses, entries: this.#kept.size, bytes: this.#bytes };
  }

  get(key: string): V | undefined {
    const value = this.#find(key);
    if (value === undefined) this.#misses += 1;
    else this.#hits += 1;
    return value;
  }

  #find(key: string): V | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || !this.#options.trusted()) return undefined;
    if (kept.expiresAt <= this.#options.clock.now().getTime()) {
      this.#remove(key, kept);
      return undefined;
    }
    kept.used = true;
    return kept.value;
  }

  /** To be taken before a value is read. */
  lease(): Lease {
    return this.#generation;
  }

  /**
   * Keeps a value, unless something changed since its lease was taken: it may have been read before that.
   * @param weight bytes that it takes
   */
  store(lease: Lease, key: string, value: V, weight: number, tags: readonly string[]): void {
    const { clock, maxAgeMs, maxBytes, trusted } = this.#options;
    if (lease !== this.#generation || weight > maxBytes / 8 || !trusted()) return;
    const before = this.#kept.get(key);
    if (before !== undefined) this.#remove(key, before);
    const expiresAt = clock.now().getTime() + maxAgeMs;
    this.#kept.set(key, { value, weight, tags, expiresAt, used: false });
    this.#bytes += weight;
    for (const tag of tags) {
      const keys = this.#keysOf.get(tag) ?? new Set();
      this.#keysOf.set(tag, keys.add(key));
    }
    this.#makeRoom();
  }

  /** After a change of these names. */
  drop(names: readonly string[]): void {
    this.#generation += 1;
    for (const tag of [...names, everyChange]) {
      for (const key of this.#keysOf.get(tag) ?? []) {
        const kept = this.#kept.get(key);
        if (kept !== undefined) this.#remove(key, kept);
      }
    }
  }

  /** When it is not known what changed. */
  flush(): void {
    this.#generation += 1;
    this.#kept.clear();
    this.#keysOf.clear();
    this.#bytes = 0;
  }

  #remove(key: string, kept: Kept<V>): void {
    this.#kept.delete(key);
    this.#bytes -= kept.weight;
    for (const tag of kept.tags) {
      const keys = this.#keysOf.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysOf.delete(tag);
    }
  }

  /** Second chance: what was used since the last look goes to the end of the line once. */
  #makeRoom(): void {
    for (const [key, kept] of this.#kept) {
      if (this.#bytes <= this.#options.maxBytes) return;
      this.#remove(key, kept);
      if (!kept.used) continue;
      kept.used = false;
      this.#kept.set(key, kept);
      this.#bytes += kept.weight;
      for (const tag of kept.tags) this.#keysOf.set(tag, (this.#keysOf.get(tag) ?? new Set()).add(key));
    }
  }
}

/** Content-addressed bytes, which are never wrong, only in the way: bounded, oldest out first. */
export class BytesCache {
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Buffer>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get figures(): CacheFigures {
    return { hits: this.#hits, misses: this.#misses, entries: this.#kept.size, bytes: this.#bytes };
  }

  get(key: string): Buffer | undefined {
    const bytes = this.#kept.get(key);
    if (bytes === undefined) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    this.#kept.delete(key);
    this.#kept.set(key, bytes);
    return bytes;
  }

  set(key: string, bytes: Buffer): void {
    if (bytes.length > this.#maxBytes || this.#kept.has(key)) return;
    this.#kept.set(key, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
