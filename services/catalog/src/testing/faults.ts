import type { Collection, CollectionSpec, Document, Documents } from "@registry/documents";

/** Where a write is: `before` it reaches the store, or `after` it was made and before anybody learns of it. */
export type Moment = "before" | "after";
export type Hook = (call: {
  collection: string;
  method: string;
  moment: Moment;
  args: readonly unknown[];
}) => void | Promise<void>;

const writes = new Set(["insertOne", "updateOne", "findOneAndUpdate", "replaceOne", "deleteOne", "updateMany"]);

/** A store whose writes can be made to fail, or to wait, on either side. */
export function withHook(documents: Documents, hook: () => Hook | undefined): Documents {
  return {
    ping: () => documents.ping(),
    close: () => documents.close(),
    async collection<T extends Document>(spec: CollectionSpec) {
      return hooked(await documents.collection<T>(spec), hook);
    },
  };
}

function hooked<T extends Document>(collection: Collection<T>, hook: () => Hook | undefined): Collection<T> {
  return new Proxy(collection, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      const method = String(property);
      if (!writes.has(method)) return value.bind(target);
      return async (...args: unknown[]) => {
        const call = { collection: target.name, method, args };
        await hook()?.({ ...call, moment: "before" });
        const result: unknown = await value.apply(target, args);
        await hook()?.({ ...call, moment: "after" });
        return result;
      };
    },
  });
}
