import { expect, it } from "vitest";
import { defaultArchiveLimits as limits } from "../limits.ts";
import { checkPaths } from "./paths.ts";

it("lets pass what an archive may hold", () => {
  expect(() => checkPaths(["plugin.yaml", "src/größe.py", "src/a/b"], limits)).not.toThrow();
});

it.each([
  ["CASE_COLLISION", ["src/a", "SRC/b"]],
  ["FILE_AND_FOLDER", ["a", "a/b"]],
  ["NAME_NOT_NFC", ["gro\u0308ße"]],
  ["NAME_CHARACTERS", ["a\u0007b"]],
  ["NAME_RESERVED", ["docs/nul.txt"]],
  ["PATH_TOO_DEEP", [Array(17).fill("a").join("/")]],
])("says %s before anything is written", (reason, paths) => {
  expect(() => checkPaths(paths, limits)).toThrow(expect.objectContaining({ reason }));
});
