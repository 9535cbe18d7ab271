import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultArchiveLimits } from "@registry/archive";
import { defaultPolicy } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validatePackage } from "../../../packages/cli/src/package/validate-package.ts";
import { dangerousCode, harmlessCode, type Source } from "../../builders/code.ts";
import { hostileArchives } from "../../builders/hostile.ts";
import { pluginZip } from "../../builders/plugin.ts";
import { clientTarGz } from "../../builders/python.ts";
import { suspectZip } from "../../builders/suspect.ts";
import type { Actor } from "../actors.ts";
import { expectProblem } from "../shapes.ts";
import type { World } from "../world.ts";

interface Told {
  readonly status: number;
  readonly code: string | null;
  readonly detail: string | null;
  readonly errors: readonly unknown[];
}

/** What the checks of content find, and that they say the same offline, in a dry run and when it counts. */
export function verdictStories(world: World, packageLimit: number): void {
  const limits = { ...defaultArchiveLimits, packageBytes: packageLimit };
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "verdicts-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const offline = async (bytes: Uint8Array): Promise<Told> => {
    const path = join(folder, "package");
    await writeFile(path, bytes);
    const { status, code, detail, errors } = await validatePackage(path, {
      limits,
      policy: defaultPolicy,
      runsTests: false,
    });
    return { status, code, detail, errors };
  };
  const dry = async (publisher: Actor, bytes: Uint8Array): Promise<Told> => {
    const answer = await publisher.tries(bytes);
    const { code = null, detail = null, errors = [], state } = answer.json<Partial<Told> & { state?: string }>();
    const passed = state === "staged" ? 202 : 201;
    return { status: answer.status === 200 ? passed : answer.status, code, detail, errors };
  };
  const withSource = (name: string, { path, text }: Source): Uint8Array => pluginZip({ name, files: { [path]: text } });

  describe("the checks", () => {
    it("refuse dangerous code however it is spelt, and say where it is", async () => {
      const publisher = await world.publisher();
      const name = world.name("danger");
      for (const source of dangerousCode) {
        const answer = await publisher.publishes(withSource(name, source));
        expect([source.text, answer.status, answer.text]).toEqual([
          source.text,
          422,
          expect.stringContaining(`${source.rule}: `),
        ]);
        expectProblem(answer, 422, "CHECKS_FAILED");
        expect(answer.json<{ errors: { pointer: string }[] }>().errors[0]?.pointer).toBe(`archive:${source.path}`);
      }
      expectProblem(await publisher.reads(name), 404, "PLUGIN_NOT_FOUND");
    });

    it("let code pass that only looks like it", async () => {
      const publisher = await world.publisher();
      for (const [index, source] of harmlessCode.entries()) {
        const answer = await publisher.publishes(withSource(world.name(`harmless${index}x`), source));
        expect([source.text, answer.status, answer.text]).toEqual([source.text, 201, expect.any(String)]);
        expect(answer.json()).toMatchObject({ findings: [] });
      }
    });

    it("come to the same verdict offline, in a dry run and in a publish", async () => {
      const publisher = await world.publisher();
      const name = world.name("same");
      const packages: readonly (readonly [string, Uint8Array])[] = [
        ...hostileArchives(name).map(({ what, bytes }) => [what, bytes] as const),
        ...[...dangerousCode, ...harmlessCode].map((source) => [source.text, withSource(name, source)] as const),
        ["one that waits for a reviewer", suspectZip({ name })],
        ["a tar.gz of the client", clientTarGz({ name })],
        ["nothing at all", new Uint8Array()],
        ["too much", pluginZip({ name, ballast: packageLimit })],
      ];
      for (const [what, bytes] of packages) {
        const told = await offline(bytes);
        expect([what, await dry(publisher, bytes)]).toEqual([what, told]);
        if (told.status < 400) continue;
        const answer = await publisher.publishes(bytes);
        const { code, detail, errors = [] } = answer.json<Told>();
        expect([what, { status: answer.status, code, detail, errors }]).toEqual([what, told]);
      }
      expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
    });
  });
}
