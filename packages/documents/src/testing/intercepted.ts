import type { Collection, Document, Documents } from "../port.ts";

/** The store with one method of one collection handed to the test, which may do it, fail, or do something beside it. */
export function intercepted(
  documents: Documents,
  name: string,
  method: keyof Collection<Document>,
  around: (call: () => Promise<unknown>) => Promise<unknown>,
): Documents {
  return {
    ping: () => documents.ping(),
    close: () => documents.close(),
    async collection<T extends Document>(spec: Parameters<Documents["collection"]>[0]): Promise<Collection<T>> {
      const collection = await documents.collection<T>(spec);
      if (spec.name !== name) return collection;
      return new Proxy(collection, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== "function") return value;
          const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
          return property === method ? (...args: unknown[]) => around(() => call(...args)) : call;
        },
      });
    },
  };
}
