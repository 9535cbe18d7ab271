import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it, vi } from "vitest";
import { ferret, minio, missing, mongo, nats, stopServers, type TestServer } from "./index.ts";
import { answersHttp, answersMongo, answersNats } from "./probes.ts";

const cases: { name: "nats" | "mongo" | "ferret" | "minio"; begin(): Promise<TestServer & Address>; probe: Probe }[] = [
  { name: "nats", begin: nats, probe: (address) => answersNats(Number(new URL(address).port)) },
  { name: "mongo", begin: mongo, probe: (address) => answersMongo(Number(new URL(address).port)) },
  { name: "ferret", begin: ferret, probe: (address) => answersMongo(Number(new URL(address).port)) },
  { name: "minio", begin: minio, probe: (address) => answersHttp(`${address}/minio/health/live`) },
];

type Address = { url?: string; endpoint?: string };
type Probe = (address: string) => Promise<boolean>;

afterAll(stopServers);

describe.each(cases)("$name", ({ name, begin, probe }) => {
  it.skipIf(missing(name))("answers, survives stop and kill on the same address", async (context) => {
    const server = await begin();
    if (!server.controllable) return context.skip("a server that the environment names");
    const address = server.url ?? server.endpoint ?? "";
    expect(await probe(address)).toBe(true);

    const before = server.pid;
    await server.stop();
    expect(server.pid).toBeUndefined();
    expect(await probe(address)).toBe(false);

    await server.start();
    expect(server.pid).not.toBe(before);
    expect(await probe(address)).toBe(true);

    await server.kill();
    expect(await probe(address)).toBe(false);
    await server.start();
    expect(await probe(address)).toBe(true);
  });
});

describe.skipIf(missing("nats"))("when the test process is killed", () => {
  it("leaves neither a server nor its folder", async () => {
    const script = `
      import { nats } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
      const server = await nats();
      const folder = /Store Directory: "(.*)\\/data/.exec(server.log())?.[1];
      process.stdout.write(JSON.stringify({ pid: server.pid, folder }) + "\\n");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, "line"), once(lines, "close")])) as [string?];
    const { pid, folder } = JSON.parse(line ?? "{}") as { pid: number; folder: string };
    expect(alive(pid)).toBe(true);
    expect(existsSync(folder)).toBe(true);

    child.kill("SIGKILL");
    await vi.waitUntil(() => !alive(pid) && !existsSync(folder), { timeout: 20_000 });
  });
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
