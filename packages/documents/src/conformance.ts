import { afterAll, beforeAll, describe } from "vitest";
import { createSuite, type OpenedStore, type SuiteOptions } from "./conformance/context.ts";
import { describeFilters } from "./conformance/filters.ts";
import { describeHostileInput } from "./conformance/hostile.ts";
import { describeProperties } from "./conformance/properties.ts";
import { describeRaces } from "./conformance/races.ts";
import { describeSorts } from "./conformance/sorts.ts";
import { describeUniqueness } from "./conformance/uniqueness.ts";
import { describeUpdates } from "./conformance/updates.ts";
import { describeWrites } from "./conformance/writes.ts";

export type { Differences, OpenedStore, SuiteOptions } from "./conformance/context.ts";

/**
 * What every adapter of the documents port must do, as vitest tests.
 * @param open gives an empty store; called once
 */
export function describeDocuments(name: string, open: () => Promise<OpenedStore>, options: SuiteOptions = {}): void {
  describe(name, () => {
    let opened: OpenedStore | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened?.cleanup();
    });
    const suite = createSuite(() => {
      if (opened === undefined) throw new Error("the store was not opened");
      return opened;
    }, options);
    describeFilters(suite);
    describeSorts(suite);
    describeUpdates(suite);
    describeWrites(suite);
    describeUniqueness(suite);
    describeRaces(suite);
    describeHostileInput(suite);
    describeProperties(suite);
  });
}
