export { Limits, type Rate } from "./limits.ts";
export { networkOf } from "./network.ts";
