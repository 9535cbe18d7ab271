import type { Value } from "@registry/documents";
import { headFields, type ReleaseDocument } from "../model/release.ts";

export const basicFields: readonly string[] = [...headFields, "manifestJson"];
export const fullFields: readonly string[] = [
  ...basicFields,
  ...["content", "described", "publishedById", "uploadId", "stagedAt", "deletedBy"],
  ...["waitingSince", "testRuns", "testLog", "quarantinedFrom"],
];

/** What is undefined stays as it is. */
export function defined(set: Partial<ReleaseDocument>): { [path: string]: Value } {
  const given = Object.entries(set).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [path: string]: Value };
}
