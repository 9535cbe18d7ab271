import type { Collection, Document, Documents } from "@registry/documents";

const writes: readonly PropertyKey[] = [
  "insertOne",
  "insertNew",
  "updateOne",
  "updateMany",
  "updateEach",
  "findOneAndUpdate",
  "deleteMany",
];

/** A lost write of many changes may have made some of them. */
function firstHalf([changes, ...rest]: readonly unknown[]): unknown[] {
  return [Array.isArray(changes) ? changes.slice(0, changes.length / 2) : changes, ...rest];
}

/** What becomes of a write: it fails as if it was or was not made, or goes through. */
type Fate = "lost" | "made" | "fine";

/**
 * The store as a process sees it that dies at its n-th write to it: that write and everything later fails. `lost` says
 * whether the fatal write itself was made.
 */
export function dyingDocuments(documents: Documents, atWrite: number, lost: boolean): Documents {
  let written = 0;
  let dead = false;
  return fated(documents, (isWrite) => {
    if (dead) return "lost";
    if (!isWrite || ++written < atWrite) return "fine";
    dead = true;
    return lost ? "lost" : "made";
  });
}

/** The store of a process that goes on living while some of its writes fail, counted from 1. */
export function failingDocuments(documents: Documents, atWrites: readonly number[], lost: boolean): Documents {
  let written = 0;
  return fated(documents, (isWrite) => {
    if (!isWrite || !atWrites.includes(++written)) return "fine";
    return lost ? "lost" : "made";
  });
}

function fated(documents: Documents, next: (isWrite: boolean) => Fate): Documents {
  const suffering =
    (target: object, property: PropertyKey, method: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      const fate = next(writes.includes(property));
      if (fate !== "lost") {
        const result = await method.apply(target, args);
        if (fate === "fine") return result;
      } else if (property === "updateEach") await method.apply(target, firstHalf(args));
      throw new Error("the store failed");
    };
  return {
    ping: () => documents.ping(),
    close: () => documents.close(),
    async collection<T extends Document>(spec: Parameters<Documents["collection"]>[0]): Promise<Collection<T>> {
      const collection = await documents.collection<T>(spec);
      return new Proxy(collection, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === "function" ? suffering(target, property, value as () => Promise<unknown>) : value;
        },
      });
    },
  };
}
