import type { Value } from "@registry/documents";
import { headFields, type ReleaseDocument } from "../model/release.ts";

export const basicFields: readonly string[] = [...headFields, "manifestJson"];
export const fullFields: readonly string[] = [
  ...basicFields,
  ...["content", "described", "uploadId", "stagedAt", "deletedBy"],
  ...["waitingSince", "testRuns", "testLog", "quarantinedFrom"],
];

/** What those who decide on a staged release need to know of it. */
export const waitingFields: readonly string[] = [
  ...headFields,
  ...["described", "uploadId", "stagedAt", "waitingSince", "testRuns"],
];

/** What is undefined stays as it is. */
export function defined(set: Partial<ReleaseDocument>): { [path: string]: Value } {
  const given = Object.entries(set).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [path: string]: Value };
}
