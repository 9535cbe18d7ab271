import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, it, vi } from "vitest";
import { pluginZip } from "../builders/plugin.ts";
import { Actor } from "../e2e/actors.ts";
import { sha256 } from "../e2e/http.ts";
import { type Info, namesIn } from "../e2e/shapes.ts";
import { packageFiles } from "../e2e/traces.ts";
import { stopServers } from "../servers/index.ts";
import { printLogsOnFailure, type Stack, startStack } from "../stack/index.ts";
import { seeded } from "./seeded.ts";

const publishes = 200;
const kills = 22;
const atOnce = 4;
const plugins = 25;

/** The shortest lives that are allowed, so that what is left over goes within the test. */
const settings = { CATALOG_SWEEP_SECONDS: "1", UPLOAD_LIFETIME_SECONDS: "60", GC_INTERVAL_SECONDS: "2" };

/** One publish that has to be acknowledged in the end, however often it is tried. */
interface Task {
  readonly name: string;
  readonly version: string;
  readonly zip: Uint8Array;
  acknowledged: boolean;
}

let stack: Stack;
const random = seeded();
printLogsOnFailure(() => stack);
afterAll(stopServers);

const letters = "abcdefghkmnpqrtuwxy";

function planTasks(): Task[] {
  return Array.from({ length: publishes }, (_, index) => {
    const name = `kill-${letters[(index % plugins) % letters.length]}${letters[Math.floor((index % plugins) / letters.length)]}q`;
    const version = `1.${Math.floor(index / plugins)}.0`;
    return { name, version, zip: pluginZip({ name, version, ballast: random.below(60_000) }), acknowledged: false };
  });
}

/** Downloads that were begun, and those that are known to have ended well: the counted ones lie between. */
const downloads = { begun: 0, ended: 0 };

async function download(actor: Actor, { name, version, zip }: Task): Promise<void> {
  downloads.begun += 1;
  const answer = await actor.fetches(name, version);
  const said = answer.status === 200 ? sha256(answer.bytes) : answer.text;
  expect([name, version, answer.status, said]).toEqual([name, version, 200, sha256(zip)]);
  downloads.ended += 1;
}

/** For readers a release is there as a whole or not at all; its owner may see it staged until it is tried again. */
async function isThere(actor: Actor, task: Task): Promise<boolean> {
  const { name, version, zip } = task;
  const listed = await actor.reads(name, version);
  if (listed.status === 404) return false;
  expect([name, version, listed.status]).toEqual([name, version, 200]);
  const info = listed.json<Info>();
  expect(info).toMatchObject({ version, sha256: sha256(zip) });
  expect(info.releases.find((release) => release.version === version)).toMatchObject({ state: "published" });
  await download(actor, task);
  return true;
}

it(`loses no acknowledged publish in ${kills} kills, and leaves none half done (seed ${random.seed})`, {
  timeout: 400_000,
}, async () => {
  stack = await startStack("embedded", { settings });
  const admin = new Actor("admin", stack.baseUrls[0] ?? "", stack.adminToken);
  const tasks = planTasks();
  const open: Task[] = [...tasks];
  let answered = 0;
  let down = false;

  /** Until the process dies under it, or nothing is left to do. */
  const work = async (): Promise<Task | undefined> => {
    for (let task = open.shift(); task !== undefined; task = open.shift()) {
      try {
        const answer = await admin.publishes(task.zip);
        expect([task.name, task.version, answer.text, [200, 201].includes(answer.status)]).toContain(true);
        task.acknowledged = true;
        answered += 1;
        await download(admin.anonymously, task);
      } catch (error) {
        if (!down) throw error;
        return task;
      }
    }
    return undefined;
  };

  let restartedAt = 0;
  for (let round = 0; round < kills; round += 1) {
    down = false;
    // What is left is spread over the kills that are left, so that each of them hits work under way.
    const share = Math.max(1, Math.floor(open.length / (kills - round + 1)));
    const target = answered + random.below(share * 2);
    const workers = Array.from({ length: atOnce }, () => work());
    await vi.waitUntil(() => answered >= target || open.length === 0, { timeout: 60_000, interval: 1 });
    await delay(random.below(25));
    down = true;
    await stack.kill("registry");
    const broken = (await Promise.all(workers)).filter((task) => task !== undefined);
    restartedAt = Date.now();
    await stack.restart("registry");
    for (const task of broken) if (!task.acknowledged) await isThere(admin.anonymously, task);
    open.unshift(...broken.filter((task) => !task.acknowledged));
  }
  down = false;
  await Promise.all(Array.from({ length: atOnce }, () => work()));
  expect(tasks.filter((task) => !task.acknowledged)).toEqual([]);

  for (const task of tasks) {
    expect(await isThere(admin.anonymously, task)).toBe(true);
  }
  const listed = new Set(namesIn(await admin.anonymously.gets("/api/v1/plugins/all")));
  expect([...listed].sort()).toEqual([...new Set(tasks.map(({ name }) => name))].sort());
  for (const name of listed) {
    const { versions } = (await admin.anonymously.reads(name)).json<Info>();
    expect([...versions].sort()).toEqual(
      tasks
        .filter((task) => task.name === name)
        .map(({ version }) => version)
        .sort(),
    );
  }
  const total = async (): Promise<number> =>
    (await admin.gets("/api/v1/analytics/metrics")).json<{ total_downloads: number }>().total_downloads;
  await vi.waitFor(async () => expect(await total()).toBeGreaterThanOrEqual(downloads.ended), {
    timeout: 20_000,
    interval: 200,
  });
  expect(await total()).toBeLessThanOrEqual(downloads.begun);

  const dataDir = join(stack.folder, "data-registry");
  const below = (folder: RegExp) => packageFiles(dataDir).filter((file) => folder.test(relative(dataDir, file)));
  expect(below(/(?:^|\/)\.?tmp\//).filter((file) => statSync(file).mtimeMs < restartedAt)).toEqual([]);
  // Uploads that their publish did not live to use end with their lifetime.
  await vi.waitFor(() => expect(below(/(?:^|\/)staging\//)).toEqual([]), { timeout: 90_000, interval: 500 });
});
