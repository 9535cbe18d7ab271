import { EventServiceDefinition } from "@registry/contracts/analytics-events";
import { admins, anyOf, defineService, type ServiceTable, services } from "@registry/kit";
import { dropDeadLetter } from "./drop-dead-letter.ts";
import { getAnalyticsRebuild } from "./get-analytics-rebuild.ts";
import { getDeadLetter } from "./get-dead-letter.ts";
import { getEventStatus } from "./get-event-status.ts";
import { listDeadLetters } from "./list-dead-letters.ts";
import type { EventParts } from "./parts.ts";
import { rebuildAnalytics } from "./rebuild-analytics.ts";
import { replayEvents } from "./replay-events.ts";
import { retryDeadLetter } from "./retry-dead-letter.ts";

/** Administrators, and whoever has the registry's secret at hand. */
const operators = anyOf(admins, services("cli"));

export function eventTable(parts: EventParts): ServiceTable {
  return defineService(EventServiceDefinition, {
    getEventStatus: { allow: operators, handle: getEventStatus(parts) },
    listDeadLetters: { allow: operators, handle: listDeadLetters(parts) },
    getDeadLetter: { allow: operators, handle: getDeadLetter(parts) },
    retryDeadLetter: {
      allow: operators,
      handle: retryDeadLetter(parts),
      audit: ({ id }) => ({ action: "dead-letter.retry", target: id }),
    },
    dropDeadLetter: {
      allow: operators,
      handle: dropDeadLetter(parts),
      audit: ({ id }) => ({ action: "dead-letter.drop", target: id }),
    },
    replayEvents: {
      allow: operators,
      handle: replayEvents(parts),
      audit: () => ({ action: "events.replay", target: "events" }),
    },
    rebuildAnalytics: {
      allow: operators,
      handle: rebuildAnalytics(parts),
      audit: () => ({ action: "analytics.rebuild", target: "analytics" }),
    },
    getAnalyticsRebuild: { allow: operators, handle: getAnalyticsRebuild(parts) },
  });
}
