/** What downloads are told apart by: which kind of program fetched the bytes. `other` is what a newer gateway may know. */
export const clientKinds = ["agenticraft", "agentos", "npm", "pip", "git", "mcp", "browser", "rest", "other"] as const;
export type ClientKind = (typeof clientKinds)[number];

export function clientKindOf(text: string): ClientKind {
  return clientKinds.find((kind) => kind === text) ?? "other";
}
