import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Folders } from "../testing/folders.ts";
import { type Ended, runProgram } from "../testing/program.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const secret = { SECRET_KEY: "a secret for tests that is long enough" };

async function reset(args: readonly string[], settings: Record<string, string> = {}): Promise<Ended> {
  return runProgram(folders.root, await folders.empty(), ["admin", "reset-totp", ...args], settings);
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

describe("admin reset-totp", () => {
  it("says which settings it needs where it cannot tell them, and makes no key of its own", async () => {
    const { code, out, err } = await reset(["alice"], { DATA_DIR: "nowhere" });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/SECRET_KEY: not set, and nowhere\/secret-key cannot be read \(ENOENT\); .*--env/);
    const anyPort = await reset(["alice"], { ...secret, GRPC_PORT: "0" });
    expect([anyPort.code, anyPort.err]).toEqual([2, expect.stringContaining("AUTH_ADDR: needed")]);
    const short = await reset(["alice"], { SECRET_KEY: "short", AUTH_ADDR: "!" });
    expect([short.code, short.err]).toEqual([2, expect.stringMatching(/AUTH_ADDR: .*\n.*SECRET_KEY: /s)]);
    expect(short.err).not.toContain('"short"');
  });

  it("says where it looked for a registry that does not answer", async () => {
    const port = await freePort();
    const settings = join(await folders.empty(), "registry.env");
    await writeFile(settings, `GRPC_HOST=0.0.0.0\nGRPC_PORT=${port}\nSECRET_KEY=${secret.SECRET_KEY}\n`);
    const { code, err } = await reset(["alice", "--env", settings]);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`No registry answers gRPC at 127.0.0.1:${port}; start it`),
    ]);
    const elsewhere = await reset(["alice", "--env", settings], { AUTH_ADDR: `localhost:${port}` });
    expect(elsewhere.err).toContain(`at localhost:${port};`);
  });

  it("shows how it is used", async () => {
    const { code, out } = await reset(["--help"]);
    expect([code, out]).toEqual([0, expect.stringContaining("agenticraft-registry admin reset-totp alice --env")]);
    expect((await reset([])).code).toBe(2);
  });
});
