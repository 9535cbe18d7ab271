import { invalid, quote, RegistryError } from "@registry/domain";
import type { CollectionSpec, IndexSpec } from "../port.ts";
import { parseSort } from "./order.ts";

/** What `DuplicateKeyError` reports for `_id`. */
export const idIndex = "_id_";
const collectionName = /^[a-z][a-z0-9_]{0,59}$/;
const indexName = /^[a-z0-9_]{1,60}$/;

function checkIndex(spec: IndexSpec): void {
  if (!indexName.test(spec.name) || spec.name === idIndex) {
    throw invalid(
      "INVALID_INDEX",
      `the index name ${quote(spec.name)} must be 1 to 60 of a-z, 0-9 and _, and not ${idIndex}`,
    );
  }
  if (spec.keys.length === 0) throw invalid("INVALID_INDEX", `the index ${quote(spec.name)} needs a key`);
  parseSort(spec.keys, `the index ${quote(spec.name)}`);
}

/** @throws RegistryError `INVALID_COLLECTION`, `INVALID_INDEX`, `INVALID_SORT`, `INVALID_DOCUMENT_KEY` */
export function checkCollectionSpec(spec: CollectionSpec): void {
  if (!collectionName.test(spec.name)) {
    throw invalid("INVALID_COLLECTION", `the collection name ${quote(spec.name)} must be 1 to 60 of a-z, 0-9 and _`);
  }
  spec.indexes.forEach(checkIndex);
  const names = new Set(spec.indexes.map((index) => index.name));
  if (names.size !== spec.indexes.length) {
    throw invalid("INVALID_INDEX", `two indexes of collection ${spec.name} have one name`);
  }
}

export const indexConflict = (collection: string, index: string, cause?: unknown): RegistryError =>
  new RegistryError(
    "invalid_argument",
    "INDEX_CONFLICT",
    `index ${index} of collection ${collection} exists with other keys; give the new one another name`,
    { cause },
  );
