import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Folders } from "../testing/folders.ts";
import { type Ended, runProgram } from "../testing/program.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const secret = { SECRET_KEY: "a secret for tests that is long enough" };

async function rebuild(args: readonly string[], settings: Record<string, string> = {}): Promise<Ended> {
  return runProgram(folders.root, await folders.empty(), ["rebuild", ...args], settings);
}

describe("rebuild", () => {
  it("shows how it is used, and refuses what it does not know", async () => {
    const { code, out } = await rebuild(["--help"]);
    expect([code, out]).toEqual([0, expect.stringContaining("agenticraft-registry rebuild analytics --json")]);
    const unknown = await rebuild(["everything"]);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("search, analytics")]);
    const never = await rebuild(["search", "--timeout", "0"]);
    expect([never.code, never.err]).toEqual([2, expect.stringContaining("whole number of seconds")]);
  });

  it("asks each projection's own service, and says where it looked for it", async () => {
    const anyPort = await rebuild(["search"], { ...secret, GRPC_PORT: "0" });
    expect([anyPort.code, anyPort.err]).toEqual([2, expect.stringContaining("CATALOG_ADDR: needed")]);
    const away = { ...secret, CATALOG_ADDR: "127.0.0.1:1", ANALYTICS_ADDR: "127.0.0.1:2" };
    const [search, analytics] = [await rebuild(["search"], away), await rebuild(["analytics", "--json"], away)];
    expect([search.code, search.out]).toEqual([1, ""]);
    expect(search.err).toContain("No registry answers gRPC at 127.0.0.1:1; start it, or set CATALOG_ADDR");
    expect([analytics.code, analytics.out]).toEqual([1, ""]);
    expect(analytics.err).toContain("at 127.0.0.1:2; start it, or set ANALYTICS_ADDR");
  });
});
