export { readDescriptorSet } from "./descriptors.ts";
export type { EventMessage, Subject } from "./events.ts";
export { decodeEvent, encodeEvent, subjects } from "./events.ts";
