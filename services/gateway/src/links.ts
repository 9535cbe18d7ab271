import { baseName, type Caller, type Digest, isDigest, type PluginName, type Visibility } from "@registry/domain";
import { type Clock, issueTicket, type Keys, ticketHolds } from "@registry/kit";

/** The two packings that have an address of their own. */
export const containers = ["zip", "tar.gz"] as const;
export type Container = (typeof containers)[number];

export function isContainer(text: string): text is Container {
  return (containers as readonly string[]).includes(text);
}

/** One release's bytes, as a link names them. */
export interface LinkTarget {
  readonly name: PluginName;
  readonly version: string;
  /** Of the original archive. */
  readonly sha256: string;
  readonly container: string;
  readonly visibility: Visibility;
  /** False where whoever fetches it looks at what is hidden. */
  readonly counted: boolean;
}

const purpose = "download";

/** What a signed address permits, once its signature was found to hold. */
export interface SignedTarget {
  readonly sha256: Digest;
  /** The container in which it was uploaded. */
  readonly source: Container;
  /** For whom it was made; 0 for nobody in particular. */
  readonly userId: number;
  readonly counted: boolean;
}

function subjectOf(name: string, version: string, { sha256, source, userId, counted }: SignedTarget): string {
  return [name, version, sha256, source, userId, ...(counted ? [] : ["uncounted"])].join("|");
}

/** Addresses of packages. */
export class Links {
  readonly #keys: Keys;
  readonly #clock: Clock;

  constructor(keys: Keys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Where the immutable bytes are, in the container asked for. */
  package(origin: string, name: PluginName, version: string, container: string): string {
    return `${origin}/plugins/${name}/${version}/${fileName(name, version, container)}`;
  }

  /**
   * An address that works without a header: for what is not public it is signed and lives at most 60 s. For callers
   * whose rights were checked.
   */
  download(origin: string, target: LinkTarget, caller: Caller): string {
    const address = this.package(origin, target.name, target.version, target.container);
    if (target.visibility === "public" || !isDigest(target.sha256) || !isContainer(target.container)) return address;
    const userId = caller.type === "user" ? caller.id : 0;
    const { sha256, container: source, counted } = target;
    const signed: SignedTarget = { sha256, source, userId, counted };
    const subject = subjectOf(target.name, target.version, signed);
    const ticket = issueTicket(this.#keys, purpose, subject, this.#clock.now());
    const query = { sha256, source, user: String(userId), ticket, ...(counted ? {} : { counted: "no" }) };
    return `${address}?${new URLSearchParams(query)}`;
  }

  /** @returns undefined where the query is no signature for this release, or one whose time is over */
  verify(name: string, version: string, query: Readonly<Record<string, string | undefined>>): SignedTarget | undefined {
    const { sha256 = "", source = "", user = "", ticket = "", counted } = query;
    if (!isDigest(sha256) || !isContainer(source) || !/^\d{1,15}$/.test(user)) return undefined;
    const signed: SignedTarget = { sha256, source, userId: Number(user), counted: counted !== "no" };
    const holds = ticketHolds(this.#keys, purpose, subjectOf(name, version, signed), ticket, this.#clock.now());
    return holds ? signed : undefined;
  }
}

export function fileName(name: PluginName, version: string, container: string): string {
  return `${baseName(name)}-${version}.${container}`;
}
