/** What a change may be called. */
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
