import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";
import { RegistryError } from "@registry/domain";
import { type Clock, ed25519FromSeed, type Ids, type Keys } from "@registry/kit";
import type { TokenKeys } from "../caller-tokens.ts";

interface StoredKey {
  /** Key id: the public key's thumbprint, RFC 7638. */
  readonly _id: string;
  /** 1, 2, 3 …: the highest signs. Unique, so that replicas which make the next one at once agree. */
  readonly generation: number;
  /** The 32 bytes of the private key, sealed for this key id. */
  readonly sealed: string;
  readonly createdAt: Date;
}

interface SigningKey {
  readonly kid: string;
  readonly generation: number;
  readonly createdAt: Date;
  readonly signing: KeyObject;
  readonly verifying: KeyObject;
}

/** A public key as RFC 7517 and RFC 8037 write it. */
interface PublicJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid: string;
  readonly alg: "EdDSA";
  readonly use: "sig";
}

export interface SigningKeysDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly keys: Keys;
  readonly rotationDays: number;
  /** Longest life of a token: as long does a key verify after it was replaced. */
  readonly lifetimeDays: number;
}

const dayMs = 86_400_000;
const seedBytes = 32;
const sealPurpose = "signing-key";
/** All of them are published, and looked through for each token. */
const maxKeys = 50;

/**
 * Ed25519 keys of signed tokens, shared by all replicas. A key is believed only if it opens under `SECRET_KEY`, so that
 * who can write to the store alone cannot add one. Each ends with the next one's beginning.
 */
export class SigningKeys implements TokenKeys {
  readonly algorithm = "EdDSA";
  readonly #stored: Collection<StoredKey>;
  readonly #deps: SigningKeysDeps;
  readonly #opened = new Map<string, SigningKey>();

  private constructor(stored: Collection<StoredKey>, deps: SigningKeysDeps) {
    this.#stored = stored;
    this.#deps = deps;
  }

  static async open(documents: Documents, deps: SigningKeysDeps): Promise<SigningKeys> {
    const indexes = [{ name: "generation", keys: [["generation", 1]] as const, unique: true }];
    return new SigningKeys(await documents.collection<StoredKey>({ name: "signing_keys", indexes }), deps);
  }

  async signing(): Promise<{ key: KeyObject; kid: string }> {
    const { signing: key, kid } = await this.current();
    return { key, kid };
  }

  async verifying(kid: string | undefined): Promise<KeyObject | undefined> {
    if (kid === undefined) return undefined;
    return (await this.#live()).find((key) => key.kid === kid)?.verifying;
  }

  /** The key to sign with: the newest, or the next one where that is too old. */
  async current(): Promise<SigningKey> {
    const stored = await this.#newestFirst();
    const newest = stored.map((key) => this.#openedOf(key)).find((key) => key !== undefined);
    const due = this.#deps.clock.now().getTime() - this.#deps.rotationDays * dayMs;
    if (newest !== undefined && newest.createdAt.getTime() > due) return newest;
    return this.#succeed(stored[0]?.generation ?? 0);
  }

  /**
   * Makes the next key. Two who do it at once get the same one.
   * @throws kind `conflict`, reason `TOO_MANY_KEYS`
   */
  async rotate(): Promise<SigningKey> {
    const stored = await this.#newestFirst();
    if (stored.length >= maxKeys) {
      const text = `There are ${maxKeys} keys already; wait until tokens of the oldest have ended`;
      throw new RegistryError("conflict", "TOO_MANY_KEYS", text);
    }
    return this.#succeed(stored[0]?.generation ?? 0);
  }

  /** Every key that tokens may be verified with, newest first. */
  async published(): Promise<PublicJwk[]> {
    return (await this.#live()).map((key) => publicJwk(key.verifying, key.kid));
  }

  /** Forgets keys whose tokens have all ended. A day's grace, as clocks of replicas differ. */
  async sweep(now: Date): Promise<void> {
    const stored = await this.#newestFirst();
    const ended = stored.filter((_, index) => !this.#isLive(stored, index, now.getTime() - dayMs));
    for (const { _id } of ended) {
      await this.#stored.deleteOne({ _id });
      this.#opened.delete(_id);
    }
  }

  #newestFirst(): Promise<StoredKey[]> {
    return this.#stored.find({ generation: { $gte: 1 } }, { sort: [["generation", -1]], limit: 2 * maxKeys });
  }

  async #live(): Promise<SigningKey[]> {
    const stored = await this.#newestFirst();
    const now = this.#deps.clock.now().getTime();
    return stored.flatMap((key, index) => {
      const opened = this.#isLive(stored, index, now) ? this.#openedOf(key) : undefined;
      return opened === undefined ? [] : [opened];
    });
  }

  #isLive(newestFirst: readonly StoredKey[], index: number, now: number): boolean {
    const successor = newestFirst[index - 1];
    return successor === undefined || now < successor.createdAt.getTime() + this.#deps.lifetimeDays * dayMs;
  }

  #openedOf({ _id: kid, generation, sealed, createdAt }: StoredKey): SigningKey | undefined {
    const known = this.#opened.get(kid);
    if (known !== undefined) return known;
    const seed = this.#deps.keys.open(sealPurpose, sealed, kid);
    if (seed === undefined || seed.length !== seedBytes) return undefined;
    const signing = ed25519FromSeed(seed);
    const key = { kid, generation, createdAt, signing, verifying: createPublicKey(signing) };
    this.#opened.set(kid, key);
    return key;
  }

  async #succeed(generation: number): Promise<SigningKey> {
    const seed = Buffer.from(this.#deps.ids.secret(seedBytes), "base64url");
    const kid = thumbprint(createPublicKey(ed25519FromSeed(seed)));
    const sealed = this.#deps.keys.seal(sealPurpose, seed, kid);
    const next: StoredKey = { _id: kid, generation: generation + 1, sealed, createdAt: this.#deps.clock.now() };
    let stored: StoredKey | null = next;
    try {
      await this.#stored.insertOne(next);
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      stored = await this.#stored.findOne({ generation: generation + 1 });
    }
    const opened = stored === null ? undefined : this.#openedOf(stored);
    if (opened === undefined) throw new TypeError("another replica made a key under another SECRET_KEY");
    return opened;
  }
}

function publicJwk(key: KeyObject, kid: string): PublicJwk {
  return { kty: "OKP", crv: "Ed25519", x: publicPart(key), kid, alg: "EdDSA", use: "sig" };
}

function publicPart(key: KeyObject): string {
  return key.export({ format: "jwk" }).x ?? "";
}

function thumbprint(key: KeyObject): string {
  const required = JSON.stringify({ crv: "Ed25519", kty: "OKP", x: publicPart(key) });
  return createHash("sha256").update(required).digest("base64url");
}
