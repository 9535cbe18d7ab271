import { type SettingGroup, setting } from "@registry/kit";

export const catalogSettings = {
  CATALOG_SWEEP_SECONDS: setting.integer({
    description: "Seconds between two looks for publishes that a crash left half done",
    fallback: 30,
    min: 1,
    max: 3600,
  }),
  CATALOG_STAGED_SECONDS: setting.integer({
    description: "Age in seconds at which an unfinished publish is given up",
    fallback: 600,
    min: 60,
    max: 86_400,
  }),
  CATALOG_CACHE_SIZE: setting.bytes({
    description: "Memory for releases that were read lately",
    fallback: 64 * 1024 ** 2,
    shownDefault: "64 MiB",
  }),
  LIMIT_RELEASES: setting.integer({
    description: "Most releases of one plugin, deleted ones included",
    fallback: 5000,
    min: 1,
    max: 50_000,
  }),
  LIMIT_CHANNELS: setting.integer({
    description: "Most channels of one plugin",
    fallback: 50,
    min: 1,
    max: 500,
  }),
} satisfies SettingGroup;
