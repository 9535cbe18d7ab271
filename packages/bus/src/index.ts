export { createInProcessBus, type InProcessBusOptions } from "./memory/open.ts";
export { observeBus } from "./observed.ts";
export { type BusOptions, openBus } from "./open.ts";
export * from "./outbox.ts";
export * from "./outbox-event.ts";
export * from "./port.ts";
export { isCarried, isGroupName, parkedSubject, settledSubject } from "./rules.ts";
