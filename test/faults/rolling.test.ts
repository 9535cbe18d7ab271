import { afterAll, describe, expect, it } from "vitest";
import { pluginZip } from "../builders/plugin.ts";
import { Actor } from "../e2e/actors.ts";
import { type Answer, sha256 } from "../e2e/http.ts";
import { stopServers } from "../servers/index.ts";
import { missingFor, printLogsOnFailure, type Stack, startStack } from "../stack/index.ts";
import { Balancer } from "./balancer.ts";
import { seeded } from "./seeded.ts";

const readers = 6;
/** Larger than what the gateway keeps in memory: a stream from storage that a restart meets half way. */
const ballast = 3 * 1024 * 1024;

let stack: Stack | undefined;
printLogsOnFailure(() => stack);
afterAll(stopServers);

describe.skipIf(missingFor("five-by-two"))("two replicas of each service", { timeout: 400_000 }, () => {
  it("are restarted one by one, and no read fails meanwhile", async () => {
    const random = seeded();
    stack = await startStack("five-by-two", { settings: { SHUTDOWN_DELAY_SECONDS: "2", ACCESS_LOG: "false" } });
    const running = stack;
    const admin = new Actor("admin", running.baseUrls[0] ?? "", running.adminToken);
    const small = pluginZip({ name: "small-read" });
    const large = pluginZip({ name: "large-read", ballast });
    for (const zip of [small, large]) expect((await admin.publishes(zip)).status).toBe(201);

    const ask: Readonly<Record<string, (actor: Actor) => Promise<Answer>>> = {
      list: (actor) => actor.anonymously.finds({}),
      "list in another's name": (actor) => actor.finds({}),
      search: (actor) => actor.anonymously.searches({ q: `small ${random.below(1000)}` }),
      info: (actor) => actor.anonymously.reads("small-read"),
      "one version": (actor) => actor.anonymously.gets("/api/v1/plugins/large-read/versions/1.0.0"),
      address: (actor) => actor.anonymously.asksForUrl("large-read"),
      small: (actor) => actor.anonymously.fetches("small-read", "1.0.0"),
      large: (actor) => actor.anonymously.fetches("large-read", "1.0.0"),
      repacked: (actor) => actor.downloads("small-read", "1.0.0"),
      me: (actor) => actor.gets("/api/v1/auth/me"),
      popular: (actor) => actor.anonymously.gets("/api/v1/analytics/popular"),
    };
    const digests: Readonly<Record<string, string>> = { small: sha256(small), large: sha256(large) };
    const balancer = new Balancer(running.baseUrls);
    const failures: unknown[] = [];
    let answered = 0;
    let done = false;
    let restarting = "";
    const read = async (): Promise<void> => {
      while (!done && failures.length < 20) {
        const [what = "", request] = random.shuffled(Object.entries(ask))[0] ?? [];
        const during = restarting;
        try {
          const answer = await request?.(admin.at(balancer.take()));
          const right = digests[what] === undefined || sha256(answer?.bytes ?? new Uint8Array()) === digests[what];
          if (answer?.status !== 200 || !right)
            failures.push([during, what, answer?.status, answer?.text.slice(0, 300)]);
          answered += 1;
        } catch (error) {
          failures.push([during, what, String(error), String((error as Error).cause)]);
        }
      }
    };
    const reading = Array.from({ length: readers }, read);
    const restart = async (): Promise<void> => {
      for (const name of random.shuffled(running.names)) {
        restarting = name;
        await running.restart(name);
      }
    };
    await restart().finally(() => {
      done = true;
    });
    await Promise.all(reading);
    balancer.close();
    expect({ seed: random.seed, failures }).toEqual({ seed: random.seed, failures: [] });
    expect(answered).toBeGreaterThan(500);
    for (const name of running.names)
      expect([name, running.logs(name)]).toEqual([name, expect.stringContaining("[ended with 0]")]);
    process.stdout.write(`${answered} reads while ${running.names.length} processes were restarted\n`);
  });
});
