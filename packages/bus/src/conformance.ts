import { afterAll, beforeAll, describe } from "vitest";
import { describeGroups } from "./conformance/groups.ts";
import { describeLag } from "./conformance/lag.ts";
import { describeLife } from "./conformance/life.ts";
import { describeParking } from "./conformance/parking.ts";
import { describePublish } from "./conformance/publish.ts";
import { describeRedelivery } from "./conformance/redelivery.ts";
import type { OpenedBus } from "./conformance/support.ts";
import { describeTaps } from "./conformance/taps.ts";

export { eventually, failure, freshEvent, freshSubject, type OpenedBus, silentLog } from "./conformance/support.ts";

/**
 * Holds an adapter against every promise of the port. Open it with short pauses (`redelivery: { baseMs: 20, maxMs: 100 }`);
 * its stream may hold events of others.
 */
export function describeBus(name: string, open: () => Promise<OpenedBus>): void {
  describe(`${name} keeps the promises of the event port`, () => {
    let opened: OpenedBus | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened?.bus.close();
      await opened?.release?.();
    });
    const current = (): OpenedBus => {
      if (opened === undefined) throw new Error("The bus did not open");
      return opened;
    };
    describePublish(current);
    describeGroups(current);
    describeRedelivery(current);
    describeParking(current);
    describeLag(current);
    describeTaps(current);
    describeLife(current, open);
  });
}
