import type { Collection, CollectionSpec, Document, Documents } from "./port.ts";

/** Runs one call to the store, and may watch how it goes; what comes out must be what the call gave or threw. */
export type Around = <R>(
  call: { readonly operation: string; readonly collection: string },
  run: () => Promise<R>,
) => Promise<R>;

/** The same database with something around every call to its collections. */
export function observeDocuments(documents: Documents, around: Around): Documents {
  const observed = new Map<string, { readonly inner: unknown; readonly outer: unknown }>();
  return {
    async collection<T extends Document>(spec: CollectionSpec): Promise<Collection<T>> {
      const inner = await documents.collection<T>(spec);
      const known = observed.get(spec.name);
      // The same name gives the same collection, here as below.
      if (known?.inner === inner) return known.outer as Collection<T>;
      const outer = observeCollection(inner, around);
      observed.set(spec.name, { inner, outer });
      return outer;
    },
    ping: () => documents.ping(),
    close: () => documents.close(),
  };
}

function observeCollection<T extends Document>(inner: Collection<T>, around: Around): Collection<T> {
  const { name: collection } = inner;
  const tell = <R>(operation: keyof Collection<T>, run: () => Promise<R>): Promise<R> =>
    around({ operation, collection }, run);
  return {
    name: collection,
    insertOne: (document) => tell("insertOne", () => inner.insertOne(document)),
    insertNew: (documents) => tell("insertNew", () => inner.insertNew(documents)),
    findOne: (filter, options) => tell("findOne", () => inner.findOne(filter, options)),
    find: (filter, options) => tell("find", () => inner.find(filter, options)),
    countDocuments: (filter) => tell("countDocuments", () => inner.countDocuments(filter)),
    updateOne: (filter, update, options) => tell("updateOne", () => inner.updateOne(filter, update, options)),
    updateMany: (filter, update) => tell("updateMany", () => inner.updateMany(filter, update)),
    updateEach: (changes, options) => tell("updateEach", () => inner.updateEach(changes, options)),
    findOneAndUpdate: (filter, update, options) =>
      tell("findOneAndUpdate", () => inner.findOneAndUpdate(filter, update, options)),
    replaceOne: (filter, document, options) => tell("replaceOne", () => inner.replaceOne(filter, document, options)),
    deleteOne: (filter) => tell("deleteOne", () => inner.deleteOne(filter)),
    deleteMany: (filter) => tell("deleteMany", () => inner.deleteMany(filter)),
  };
}
