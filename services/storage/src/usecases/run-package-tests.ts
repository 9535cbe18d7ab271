import { type Digest, parseDigest } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { Inspector } from "../inspector.ts";
import { pluginTestsOff } from "../model/errors.ts";
import type { Objects } from "../objects.ts";
import type { TestsReport } from "../plugin-tests/outcome.ts";
import type { PluginTests, Unpack } from "../plugin-tests/plugin-tests.ts";

interface Deps {
  readonly objects: Objects;
  readonly inspector: Inspector;
  /** Undefined where the operator has not switched them on. */
  readonly pluginTests: PluginTests | undefined;
}

/**
 * Runs the tests that a stored package brings.
 * @throws kind `unimplemented`, reason `PLUGIN_TESTS_OFF`; kind `not_found`, reason `BLOB_NOT_FOUND`; kind `unavailable`,
 *   reason `PLUGIN_TESTS_BUSY`
 */
export const runPackageTests =
  (deps: Deps) =>
  async (sha256: string, { signal }: Pick<CallContext, "signal">): Promise<TestsReport> => {
    const { pluginTests } = deps;
    if (pluginTests === undefined) throw pluginTestsOff();
    const digest = parseDigest(sha256);
    // Asked before the package waits for its turn.
    await deps.objects.original(digest);
    return await pluginTests.run(unpacking(deps, digest), signal);
  };

const unpacking =
  ({ objects, inspector }: Deps, digest: Digest): Unpack =>
  async ({ scratch, target }, signal) => {
    const original = await objects.original(digest);
    return await objects.withLocalCopy(original, scratch, signal, (copy) => inspector.unpack(copy, target, signal));
  };
