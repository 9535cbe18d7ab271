import type { ArchiveLimits } from "../limits.ts";
import { checkPath, PathTable } from "../names.ts";

/**
 * Holds the paths of files that are to be packed against the rules that they will meet in the archive, so that nothing
 * is written for naught.
 * @param paths relative, `/` between their parts
 * @throws `rejected` or `too_large` as `openArchive`, for the first path that breaks a rule
 */
export function checkPaths(paths: Iterable<string>, limits: ArchiveLimits): void {
  const table = new PathTable();
  for (const path of paths) {
    checkPath(path, limits);
    table.add(path, "file");
  }
}
