import { type ArchiveLimits, defaultArchiveLimits } from "@registry/archive";
import { type SettingGroup, type SettingsOf, setting } from "@registry/kit";

const defaults = defaultArchiveLimits;
const MiB = 1024 * 1024;

export const storageSettings = {
  LIMIT_PACKAGE_BYTES: setting.bytes({
    description: "Largest package, as uploaded",
    fallback: defaults.packageBytes,
    shownDefault: `${defaults.packageBytes / MiB} MiB`,
  }),
  LIMIT_UNPACKED_BYTES: setting.bytes({
    description: "All files of a package together, unpacked",
    fallback: defaults.unpackedBytes,
    shownDefault: `${defaults.unpackedBytes / MiB} MiB`,
  }),
  LIMIT_ENTRY_BYTES: setting.bytes({
    description: "Largest file of a package, unpacked",
    fallback: defaults.entryBytes,
    shownDefault: `${defaults.entryBytes / MiB} MiB`,
  }),
  LIMIT_RATIO: setting.integer({
    description: "Most unpacked bytes for each packed byte, 2 to 10000",
    fallback: defaults.ratio,
    min: 2,
    max: 10_000,
  }),
  LIMIT_ENTRIES: setting.integer({
    description: "Most files and folders of a package, 1 to 20000",
    fallback: defaults.entries,
    min: 1,
    max: 20_000,
  }),
  LIMIT_PATH_BYTES: setting.integer({
    description: "Longest path inside a package in bytes, 16 to 1024",
    fallback: defaults.pathBytes,
    min: 16,
    max: 1024,
  }),
  LIMIT_PATH_DEPTH: setting.integer({
    description: "Most parts of a path inside a package, 1 to 64",
    fallback: defaults.pathDepth,
    min: 1,
    max: 64,
  }),
  LIMIT_MANIFEST_BYTES: setting.bytes({
    description: "Largest manifest",
    fallback: defaults.manifestBytes,
    shownDefault: `${defaults.manifestBytes / 1024} KiB`,
  }),
  LIMIT_README_BYTES: setting.bytes({
    description: "Largest README or changelog",
    fallback: defaults.readmeBytes,
    shownDefault: `${defaults.readmeBytes / 1024} KiB`,
  }),
  LIMIT_DESCRIPTION_LENGTH: setting.integer({
    description: "Longest description in characters, 80 to 10000",
    fallback: defaults.descriptionLength,
    min: 80,
    max: 10_000,
  }),
  INSPECTION_WORKERS: setting.integer({
    description: "Threads that read and repack packages, 1 to 16",
    fallback: 2,
    min: 1,
    max: 16,
  }),
  INSPECTION_SECONDS: setting.integer({
    description: "Longest time that reading one package may take, 1 to 300",
    fallback: 20,
    min: 1,
    max: 300,
  }),
  UPLOAD_LIFETIME_SECONDS: setting.integer({
    description: "How long an upload waits to become a release, 60 to 86400",
    fallback: 3600,
    min: 60,
    max: 86_400,
  }),
  LIMIT_UPLOADS_PER_USER: setting.integer({
    description: "Uploads of one user at once: coming in, or waiting to become a release; 1 to 10000",
    fallback: 100,
    min: 1,
    max: 10_000,
  }),
  GC_INTERVAL_SECONDS: setting.integer({
    description: "Time between collections of garbage, up to 604800; 0 leaves it to administrators",
    fallback: 3600,
    min: 0,
    max: 604_800,
  }),
  GC_GRACE_SECONDS: setting.integer({
    description: "How long a blob that no release refers to is kept, up to 2592000",
    fallback: 86_400,
    min: 0,
    max: 2_592_000,
  }),
  GC_CONFIRM_SECONDS: setting.integer({
    description: "Time between marking a blob as garbage and asking a second time before it is deleted, up to 300",
    fallback: 5,
    min: 0,
    max: 300,
  }),
  PLUGIN_TESTS: setting.oneOf(["off", "sandbox"], {
    description: "Whether the tests that packages bring are run, in a sandbox, before they are published",
    fallback: "off",
  }),
  PLUGIN_TESTS_SECONDS: setting.integer({
    description: "Longest time that the tests of one package may take, 5 to 600",
    fallback: 60,
    min: 5,
    max: 600,
  }),
  PLUGIN_TESTS_MEMORY: setting.bytes({
    description: "Most memory of the tests of one package",
    fallback: 512 * MiB,
    shownDefault: "512 MiB",
  }),
  PLUGIN_TESTS_PROCESSES: setting.integer({
    description: "Most processes and threads of the tests of one package, 16 to 4096",
    fallback: 64,
    min: 16,
    max: 4096,
  }),
  PLUGIN_TESTS_DISK: setting.bytes({
    description: "Most that the tests of one package may write; it is held in memory",
    fallback: 256 * MiB,
    shownDefault: "256 MiB",
  }),
  PLUGIN_TESTS_CONCURRENCY: setting.integer({
    description: "How many packages are tested at once, 1 to 16",
    fallback: 1,
    min: 1,
    max: 16,
  }),
  PLUGIN_TESTS_ROOT: setting.text({
    description: "Folder with the root file system whose programs run the tests, readable by everybody",
    fallback: "/",
    pattern: /^\/[^\0]*$/,
    expects: "an absolute path",
  }),
} satisfies SettingGroup;

export type StorageConfig = SettingsOf<typeof storageSettings>;

export function archiveLimits(config: StorageConfig): ArchiveLimits {
  return {
    packageBytes: config.LIMIT_PACKAGE_BYTES,
    unpackedBytes: config.LIMIT_UNPACKED_BYTES,
    entryBytes: config.LIMIT_ENTRY_BYTES,
    ratio: config.LIMIT_RATIO,
    ratioFloorBytes: defaults.ratioFloorBytes,
    entries: config.LIMIT_ENTRIES,
    pathBytes: config.LIMIT_PATH_BYTES,
    pathDepth: config.LIMIT_PATH_DEPTH,
    manifestBytes: config.LIMIT_MANIFEST_BYTES,
    readmeBytes: config.LIMIT_README_BYTES,
    descriptionLength: config.LIMIT_DESCRIPTION_LENGTH,
  };
}
