import { describe, expect, it } from "vitest";
import { python } from "../../../packages/archive/src/test-support/tools.ts";
import { pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info } from "../shapes.ts";
import type { World } from "../world.ts";

const listTar = `
import sys, tarfile, io, json
archive = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), mode="r:gz")
print(json.dumps(sorted(m.name for m in archive.getmembers() if m.isfile())))
`;

/** Paths of the files in a gzip tar, as Python's tarfile reads it. */
export function pathsInTarGz(bytes: Uint8Array): string[] {
  const script = `${listTar.replace("sys.stdin.buffer.read()", "__import__('base64').b64decode(sys.stdin.read())")}`;
  return JSON.parse(python(script, [], { input: Buffer.from(bytes).toString("base64") }).toString()) as string[];
}

export function downloadStories(world: World): void {
  const published = async (
    stem: string,
    ballast?: number,
  ): Promise<{ name: string; zip: Uint8Array; reader: Actor }> => {
    const publisher = await world.publisher();
    const name = world.name(stem);
    const zip = pluginZip({ name, ...(ballast === undefined ? {} : { ballast }) });
    expect((await publisher.publishes(zip)).status).toBe(201);
    const reader = world.anonymous;
    await world.soon(async () => expect((await reader.reads(name)).status).toBe(200));
    return { name, zip, reader };
  };

  describe("downloading", () => {
    it("gives the very bytes by every address that answers tell of", async () => {
      const { name, zip, reader } = await published("anvil");
      const info = (await reader.reads(name)).json<Info>();
      const asked = (await reader.asksForUrl(name)).json<{ download_url: string }>().download_url;
      const exact = (await reader.asksForUrl(name, "1.0.0")).json<{ download_url: string }>().download_url;
      for (const url of [info.download_url, info.releases[0]?.package_url ?? "", asked, exact]) {
        const answer = await reader.gets(url);
        expect([url, answer.status, sha256(answer.bytes)]).toEqual([url, 200, sha256(zip)]);
      }
    });

    it("labels the immutable bytes for caches and checks", async () => {
      const { name, zip, reader } = await published("bellows");
      const answer = await reader.fetches(name, "1.0.0");
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-type": "application/zip",
        "content-length": String(zip.length),
        "content-disposition": `attachment; filename="${name}-1.0.0.zip"`,
        "cache-control": "public, max-age=31536000, immutable",
        etag: `"${sha256(zip)}"`,
        "x-checksum-sha256": sha256(zip),
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
      });
      expect(answer.headers.has("content-encoding")).toBe(false);
    });

    it("answers 304, ranges and HEAD as HTTP has them", async () => {
      const { name, zip, reader } = await published("crucible", 3000);
      const etag = `"${sha256(zip)}"`;
      const unchanged = await reader.fetches(name, "1.0.0", "zip", { "if-none-match": etag });
      expect([unchanged.status, unchanged.bytes.length, unchanged.headers.get("etag")]).toEqual([304, 0, etag]);

      const part = await reader.fetches(name, "1.0.0", "zip", { range: "bytes=100-199" });
      expect(part.status).toBe(206);
      expect(part.headers.get("content-range")).toBe(`bytes 100-199/${zip.length}`);
      expect(Buffer.from(part.bytes)).toEqual(Buffer.from(zip.subarray(100, 200)));
      const tail = await reader.fetches(name, "1.0.0", "zip", { range: "bytes=-10", "if-range": etag });
      expect(Buffer.from(tail.bytes)).toEqual(Buffer.from(zip.subarray(-10)));
      const changed = await reader.fetches(name, "1.0.0", "zip", { range: "bytes=0-9", "if-range": '"other"' });
      expect([changed.status, changed.bytes.length]).toEqual([200, zip.length]);
      const outside = await reader.fetches(name, "1.0.0", "zip", { range: `bytes=${zip.length}-` });
      expectProblem(outside, 416, "RANGE_NOT_SATISFIABLE");
      expect(outside.headers.get("content-range")).toBe(`bytes */${zip.length}`);

      const head = await reader.request("HEAD", `/plugins/${name}/1.0.0/${name}-1.0.0.zip`);
      expect([head.status, head.bytes.length]).toEqual([200, 0]);
      expect(head.headers.get("content-length")).toBe(String(zip.length));
    });

    it("gives clients a tar.gz below the plugin's name, without redirect and without another encoding", async () => {
      const { name, zip, reader } = await published("dynamo");
      const answer = await reader.downloads(name, "1.0.0", {
        accept: "application/json",
        "accept-encoding": "gzip, deflate",
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.has("content-encoding")).toBe(false);
      expect(answer.headers.get("content-type")).toBe("application/gzip");
      expect(answer.headers.get("x-source-digest")).toBe(`sha256:${sha256(zip)}`);
      expect(answer.headers.get("etag")).toBe(`"${sha256(answer.bytes)}"`);
      const inside = ["LICENSE", "README.md", "plugin.yaml", "src/plugin.py"].map((path) => `${name}/${path}`);
      expect(pathsInTarGz(answer.bytes)).toEqual(inside);

      const again = await world.elsewhere(reader).downloads(name, "1.0.0");
      expect(sha256(again.bytes)).toBe(sha256(answer.bytes));
      const immutable = await reader.fetches(name, "1.0.0", "tar.gz");
      expect(sha256(immutable.bytes)).toBe(sha256(answer.bytes));
      const unchanged = await reader.downloads(name, "1.0.0", { "if-none-match": answer.headers.get("etag") ?? "" });
      expect(unchanged.status).toBe(304);
    });

    it("streams what is too large to keep in memory", async () => {
      const { name, zip, reader } = await published("engine", 900_000);
      const answer = await reader.fetches(name, "1.0.0");
      expect(sha256(answer.bytes)).toBe(sha256(zip));
      const part = await reader.fetches(name, "1.0.0", "zip", { range: "bytes=300000-799999" });
      expect(sha256(part.bytes)).toBe(sha256(zip.subarray(300_000, 800_000)));
      expect(pathsInTarGz((await reader.downloads(name, "1.0.0")).bytes)).toContain(`${name}/assets/ballast.bin`);
    });

    it("knows what is not there", async () => {
      const { name, reader } = await published("flywheel");
      expectProblem(await reader.reads("no-such-plugin"), 404, "PLUGIN_NOT_FOUND", "Plugin not found");
      expectProblem(await reader.reads(name, "9.9.9"), 404, "VERSION_NOT_FOUND", "Plugin version not found");
      expectProblem(await reader.asksForUrl(name, "9.9.9"), 404, "VERSION_NOT_FOUND", "Plugin version not found");
      expectProblem(await reader.asksForUrl("no-such-plugin", "1.0.0"), 404, "PLUGIN_NOT_FOUND");
      expectProblem(await reader.downloads(name, "9.9.9"), 404, "VERSION_NOT_FOUND");
      expectProblem(await reader.fetches(name, "9.9.9"), 404, "VERSION_NOT_FOUND");
      expectProblem(await reader.gets(`/plugins/${name}/1.0.0/other-1.0.0.zip`), 404, "ROUTE_NOT_FOUND");
    });
  });
}
