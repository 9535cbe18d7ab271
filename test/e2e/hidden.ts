import { expect } from "vitest";
import { missing } from "../servers/index.ts";
import { type Actor, immutablePath } from "./actors.ts";
import { callGrpc } from "./grpcurl.ts";
import { scrapeAll } from "./scrape.ts";
import { expectProblem, type Info, namesIn } from "./shapes.ts";
import type { World } from "./world.ts";

/** Every way to one release, its bytes included. */
function pathsTo(name: string, version: string): string[] {
  const base = `/api/v1/plugins/${name}`;
  const below = ["", "/readme", "/changelog", "/files", "/files/plugin.yaml", "/findings", "/checks"];
  return [
    `${base}?version=${version}`,
    ...below.map((path) => `${base}/versions/${version}${path}`),
    `${base}/download?version=${version}`,
    `${base}/download/${version}`,
    immutablePath(name, version),
    immutablePath(name, version, "tar.gz"),
  ];
}

/** Asserts that a plugin of which nothing was published yet does not exist for this actor, whichever way it asks. */
export async function seesNothingOf(world: World, actor: Actor, name: string, version: string): Promise<void> {
  const lists = [
    await actor.finds({ query: name, limit: "100" }),
    await actor.finds({ sort: "created", limit: "100" }),
    await actor.searches({ q: name, limit: "100" }),
    await actor.gets("/api/v1/plugins/all"),
  ];
  for (const list of lists) expect(namesIn(list)).not.toContain(name);
  await isNotToldOf(world, actor, name);
  const base = `/api/v1/plugins/${name}`;
  const paths = [base, `${base}/versions`, `${base}/download`, `${base}/channels`, `${base}/channels/latest`];
  await areAbsent(
    actor,
    [...pathsTo(name, version), ...paths, `/api/v1/analytics/plugins/${name}`],
    "PLUGIN_NOT_FOUND",
  );
  await isUnknownByWire(world, actor, { name, version }, "PLUGIN_NOT_FOUND");
}

/** Asserts that one release of a plugin that this actor may see does not exist for it. */
export async function seesNoRelease(world: World, actor: Actor, name: string, version: string): Promise<void> {
  await areAbsent(actor, pathsTo(name, version), "VERSION_NOT_FOUND");
  const info = (await actor.reads(name)).json<Info>();
  expect(info.versions).not.toContain(version);
  expect(info.releases.map((release) => release.version)).not.toContain(version);
  const listed = (await actor.gets(`/api/v1/plugins/${name}/versions`)).json<{ versions: { version: string }[] }>();
  expect(listed.versions.map((release) => release.version)).not.toContain(version);
  const { channels } = (await actor.gets(`/api/v1/plugins/${name}/channels`)).json<{ channels: object }>();
  expect(Object.values(channels)).not.toContain(version);
  await isUnknownByWire(world, actor, { name, version }, "VERSION_NOT_FOUND");
}

const texts = { PLUGIN_NOT_FOUND: "Plugin not found", VERSION_NOT_FOUND: "Plugin version not found" } as const;

async function areAbsent(actor: Actor, paths: readonly string[], code: keyof typeof texts): Promise<void> {
  const answers = await Promise.all(paths.map(async (path) => ({ path, answer: await actor.gets(path) })));
  const told = answers.map(({ path, answer }) => [path, answer.json<{ code?: string }>().code]);
  expect(told).toEqual(paths.map((path) => [path, code]));
  for (const { answer } of answers) expectProblem(answer, 404, code, texts[code]);
}

async function isNotToldOf(world: World, actor: Actor, name: string): Promise<void> {
  expect(await scrapeAll(world.stack)).not.toContain(name);
  for (const path of ["/api/v1/analytics/popular?limit=100", "/api/v1/analytics/metrics"]) {
    expect((await actor.gets(path)).text).not.toContain(name);
  }
}

interface Asked {
  readonly name: string;
  readonly version: string;
}

async function isUnknownByWire(
  world: World,
  { token }: Actor,
  asked: Asked,
  reason: keyof typeof texts,
): Promise<void> {
  if (missing("grpcurl")) return;
  const { name, version } = asked;
  for (const address of world.stack.grpc.catalog) {
    const call = (method: string, request: object) =>
      callGrpc(address, `registry.catalog.v1.CatalogService/${method}`, request, token);
    for (const method of ["GetPlugin", "GetRelease", "ResolveDownload"]) {
      expect([method, await call(method, asked)]).toMatchObject([method, { code: "NotFound", reason }]);
    }
    const listed = await call("ListReleases", { name });
    if (reason === "PLUGIN_NOT_FOUND") expect(listed).toMatchObject({ code: "NotFound", reason });
    else expect([listed.code, listed.output]).toEqual(["OK", expect.not.stringContaining(`"version": "${version}"`)]);
  }
}
