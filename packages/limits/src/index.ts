export { ipv6Groups } from "./ipv6.ts";
export { Limits, type Rate } from "./limits.ts";
export { networkOf } from "./network.ts";
export { isNetwork, networkList } from "./networks.ts";
