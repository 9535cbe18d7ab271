/** Actions that grants and token scopes may name. */
export const actions = ["read", "download", "publish", "update", "delete", "delete_own", "review"] as const;
export type Action = (typeof actions)[number];
