/** What a change of the feed may be called, as clients and filters of webhooks know it. */
export const changeTypes = [
  "release.published",
  "release.yanked",
  "release.unyanked",
  "release.quarantined",
  "release.restored",
  "release.deleted",
  "plugin.updated",
  "plugin.deleted",
] as const;
export type ChangeType = (typeof changeTypes)[number];

export function isChangeType(text: string): text is ChangeType {
  return (changeTypes as readonly string[]).includes(text);
}
