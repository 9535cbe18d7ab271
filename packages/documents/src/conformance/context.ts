import { isRegistryError } from "@registry/domain";
import { expect, it } from "vitest";
import {
  type Collection,
  type Document,
  type Documents,
  DuplicateKeyError,
  type Filter,
  type FindOptions,
  type Id,
  type IndexSpec,
} from "../port.ts";

/** A store for one run of the suite, empty at first. */
export interface OpenedStore {
  documents: Documents;
  /** Closes `documents` and opens the same data again, as another process would. */
  reopen(): Promise<Documents>;
  /** Frees all that `open` and `reopen` took, the data too. */
  cleanup(): Promise<void>;
}

/** A test of the suite by its name, and why a store is known to fail it. */
export type Differences = { readonly [test: string]: string };

export interface SuiteOptions {
  /** Tests that the store is known to fail: they run all the same, and must fail. */
  readonly differences?: Differences;
  /** Tests that the store passes on some runs only: they are shown as skipped, with the reason. */
  readonly unsteady?: Differences;
  /** Random cases in each property; 60 unless given. */
  readonly runs?: number;
}

export type AnyDocument = Document & { [field: string]: unknown };

export interface Suite {
  readonly runs: number;
  check(name: string, run: () => Promise<void>): void;
  store(): OpenedStore;
  /** A collection of its own, empty. */
  collection(indexes?: readonly IndexSpec[]): Promise<Collection<AnyDocument>>;
}

export function createSuite(store: () => OpenedStore, options: SuiteOptions): Suite {
  let collections = 0;
  return {
    runs: options.runs ?? 60,
    store,
    check(name, run) {
      const difference = options.differences?.[name];
      const unsteady = options.unsteady?.[name];
      if (unsteady !== undefined) it.skip(`${name} [unsteady: ${unsteady}]`, run);
      else if (difference === undefined) it(name, run);
      else it.fails(`${name} [known to fail: ${difference}]`, run);
    },
    async collection(indexes = []) {
      collections += 1;
      return await store().documents.collection<AnyDocument>({ name: `c${collections}`, indexes });
    },
  };
}

export async function idsOf(collection: Collection<AnyDocument>, filter: Filter, options?: FindOptions): Promise<Id[]> {
  return (await collection.find(filter, options)).map(({ _id }) => _id);
}

/** Asserts a `RegistryError` with this reason, which must name what to mend. */
export async function expectReason(reason: string, call: () => Promise<unknown>): Promise<void> {
  const error: unknown = await call().then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(isRegistryError(error) ? error.reason : error).toBe(reason);
}

/** The index that the call's `DuplicateKeyError` names, or else what came of it. */
export async function duplicateIndexOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return error instanceof DuplicateKeyError ? error.index : `no DuplicateKeyError but ${String(error)}`;
}

/** A value that TypeScript would not let through, as it may come from outside. */
export function fromOutside<T>(value: unknown): T {
  return value as T;
}
