import type { Collection, Document, Documents } from "@registry/documents";

const writes: readonly PropertyKey[] = [
  "insertOne",
  "insertNew",
  "updateOne",
  "updateMany",
  "findOneAndUpdate",
  "deleteMany",
];

/**
 * The store as a process sees it that dies at its n-th write to it: that write and everything later fails. `lost` says
 * whether the fatal write itself was made.
 */
export function dyingDocuments(documents: Documents, atWrite: number, lost: boolean): Documents {
  let written = 0;
  let dead = false;
  const dying =
    (target: object, property: PropertyKey, method: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      if (dead) throw new Error("this process is dead");
      if (writes.includes(property) && ++written === atWrite) {
        dead = true;
        if (!lost) await method.apply(target, args);
        throw new Error("this process just died");
      }
      return method.apply(target, args);
    };
  return {
    ping: () => documents.ping(),
    close: () => documents.close(),
    async collection<T extends Document>(spec: Parameters<Documents["collection"]>[0]): Promise<Collection<T>> {
      const collection = await documents.collection<T>(spec);
      return new Proxy(collection, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === "function" ? dying(target, property, value as () => Promise<unknown>) : value;
        },
      });
    },
  };
}
