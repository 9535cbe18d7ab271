import { describe, expect, it, vi } from "vitest";
import { isSandboxNeeded } from "../../services/storage/src/testing/sandbox.ts";
import { pluginZip } from "../builders/plugin.ts";
import type { Actor } from "./actors.ts";
import { sha256 } from "./http.ts";
import { expectProblem } from "./shapes.ts";
import { createWorld } from "./world.ts";

const testedWithin = { timeout: 60_000, interval: 300 };

interface Check {
  readonly name: string;
  readonly result: string;
  readonly log: string | null;
}

describe.skipIf(!isSandboxNeeded(process.env.CI))("a registry that runs the tests of packages", () => {
  const world = createWorld("embedded", { PLUGIN_TESTS: "sandbox" });

  const suite = (name: string, expected: number) =>
    pluginZip({
      name,
      files: {
        "adder.py": "def add(a, b):\n    return a + b\n",
        "tests/test_adder.py": [
          "import unittest",
          "from adder import add",
          "",
          "class AdderTest(unittest.TestCase):",
          "    def test_add(self):",
          `        self.assertEqual(add(1, 2), ${expected})`,
          "",
        ].join("\n"),
      },
    });
  const testsOf = async (actor: Actor, name: string): Promise<Check | undefined> => {
    const answer = await actor.gets(`/api/v1/plugins/${name}/versions/1.0.0/checks`);
    expect(answer.status).toBe(200);
    return answer.json<{ checks: Check[] }>().checks.find((check) => check.name === "tests");
  };

  it("shows a package once they have passed, with what they printed", { timeout: 90_000 }, async () => {
    const publisher = await world.publisher();
    const name = world.name("tested");
    const zip = suite(name, 3);
    expect((await publisher.tries(zip)).json()).toMatchObject({ state: "staged", verdict: "held" });
    const answer = await publisher.publishes(zip);
    expect([answer.status, answer.json()]).toMatchObject([202, { state: "staged", review: null }]);
    await vi.waitFor(async () => expect((await world.anonymous.reads(name)).status).toBe(200), testedWithin);
    expect(sha256((await world.anonymous.fetches(name, "1.0.0")).bytes)).toBe(sha256(zip));
    expect(await testsOf(world.anonymous, name)).toMatchObject({ result: "passed", log: expect.any(String) });
  });

  it("keeps a package hidden where they fail, and takes the mended one", { timeout: 120_000 }, async () => {
    const publisher = await world.publisher();
    const name = world.name("broken");
    expect((await publisher.publishes(suite(name, 4))).status).toBe(202);
    await vi.waitFor(async () => expect((await testsOf(publisher, name))?.result).toBe("failed"), testedWithin);
    expect((await testsOf(publisher, name))?.log).toContain("AssertionError");
    expectProblem(await world.anonymous.reads(name), 404, "PLUGIN_NOT_FOUND");
    expect((await publisher.publishes(suite(name, 3))).status).toBe(202);
    await vi.waitFor(async () => expect((await world.anonymous.reads(name)).status).toBe(200), testedWithin);
  });

  it("does not wait for a package without tests", async () => {
    const publisher = await world.publisher();
    expect((await publisher.publishes(pluginZip({ name: world.name("untested") }))).status).toBe(201);
  });
});
