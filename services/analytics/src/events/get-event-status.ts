import type { GroupLag } from "@registry/bus";
import type { OutboxStatus } from "@registry/contracts/analytics-events";
import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import type { CallContext } from "@registry/kit";
import type { EventParts, EventUseCase } from "./parts.ts";

/** What does not answer by then is told to be away. */
const timeoutMs = 3000;

export const getEventStatus: EventUseCase<"getEventStatus"> = (parts) => async (_request, context) => {
  const away: string[] = [];
  const [lags, own, theirs, deadLetters] = await Promise.all([
    orAway(parts.bus.lag(), "bus", away),
    parts.relay.backlog(),
    orAway(outboxesOfCatalog(parts, context), "catalog", away),
    parts.deadLetters.count(),
  ]);
  const groups = await Promise.all(
    lags.map(async (lag: GroupLag) => ({ ...lag, deadLetters: await parts.deadLetters.count(lag.group) })),
  );
  groups.sort((a, b) => (a.group < b.group ? -1 : 1));
  const { collection, ...rest } = own;
  return { groups, outboxes: [...theirs, { outbox: `analytics.${collection}`, ...rest }], deadLetters, away };
};

async function outboxesOfCatalog(parts: EventParts, context: CallContext): Promise<OutboxStatus[]> {
  const catalog = parts.clients.of(MaintenanceServiceDefinition);
  const { outboxes } = await catalog.getOutboxes({}, { context, as: "service", timeoutMs });
  return outboxes.map(({ collection, ...rest }) => ({ outbox: `catalog.${collection}`, ...rest }));
}

async function orAway<T>(asked: Promise<T[]>, name: string, away: string[]): Promise<T[]> {
  try {
    return await asked;
  } catch {
    away.push(name);
    return [];
  }
}
