import { createWriteStream } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import AdmZip from "adm-zip";
import { zipSync } from "fflate";
import JSZip from "jszip";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { plugin, pluginPaths, Scratch } from "./test-support/sample.ts";
import { hasTool, python, runTool } from "./test-support/tools.ts";

/** Missing tools are a reason to skip on a developer's machine, never in CI. */
const needed = (present: boolean): boolean => present || process.env.CI !== undefined;
const deep =
  "docs/größe/日本語/a-rather-long-folder-name-that-goes-on/and-on/and-on-until-one-hundred-bytes-are-over/x.md";
const tree: Readonly<Record<string, string>> = { ...plugin, [deep]: "long\n", "src/__init__.py": "" };
const treePaths = Object.keys(tree).sort();

let scratch: Scratch;
let source: string;
beforeAll(async () => {
  scratch = await Scratch.create();
  source = join(scratch.path, "weather");
  for (const [path, content] of Object.entries(tree)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), content);
  }
  await chmod(join(source, "src/main.py"), 0o755);
});
afterAll(() => scratch.remove());

async function listed(bytes: Uint8Array): Promise<readonly string[]> {
  return (await scratch.inspect(bytes)).files.map((file) => file.path);
}

// Whether it marks names beyond ASCII as UTF-8 depends on the locale of the machine, so those are left out here.
describe.runIf(needed(hasTool("zip", ["-v"])))("Info-ZIP", () => {
  test.each([
    ["as it is", ["-r"]],
    ["without extra fields", ["-rX"]],
    ["stored", ["-r0"]],
    ["without folders", ["-rD"]],
  ])("%s", async (title, options) => {
    const out = join(scratch.path, `info-${title.replaceAll(" ", "-")}.zip`);
    runTool("zip", ["-q", ...options, out, ".", "-x", "docs/*"], { cwd: source });
    expect(await listed(await readFile(out))).toEqual([...pluginPaths, "src/__init__.py"].sort());
  });

  test("to a pipe", async () => {
    expect(await listed(runTool("zip", ["-q", "-r", "-fz-", "-", ...pluginPaths], { cwd: source }))).toEqual(
      pluginPaths,
    );
  });

  test("a symbolic link is refused, and so is a password", async () => {
    const link = join(scratch.path, "link.zip");
    python("import os,sys; os.path.lexists(sys.argv[1]) or os.symlink('/etc/passwd', sys.argv[1])", [
      join(scratch.path, "link"),
    ]);
    runTool("zip", ["-q", "-y", link, "link"], { cwd: scratch.path });
    await expect(listed(await readFile(link))).rejects.toMatchObject({ reason: "SPECIAL_ENTRY" });
    const secret = runTool("zip", ["-q", "-r", "-P", "x", "-fz-", "-", "README.md"], { cwd: source });
    await expect(listed(secret)).rejects.toMatchObject({ reason: "ENCRYPTED_ENTRY" });
  });
});

const zipScript = `
import io, os, sys, zipfile
class Pipe(io.RawIOBase):
    def __init__(self): self.out = sys.stdout.buffer
    def writable(self): return True
    def seekable(self): return False
    def write(self, data): return self.out.write(data)
target = Pipe() if sys.argv[1] == "stream" else io.BytesIO()
with zipfile.ZipFile(target, "w", getattr(zipfile, sys.argv[2])) as archive:
    for folder, _, names in os.walk("."):
        for name in sorted(names):
            path = os.path.join(folder, name)
            archive.write(path, os.path.relpath(path, "."))
    if sys.argv[1] != "stream": archive.mkdir("empty")
if sys.argv[1] != "stream": sys.stdout.buffer.write(target.getvalue())
`;
const tarScript = `
import io, sys, tarfile
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w:gz", format=getattr(tarfile, sys.argv[1])) as archive:
    archive.add(".", arcname="weather")
    archive.add("plugin.yaml", arcname="weather/plugin.yaml")
sys.stdout.buffer.write(out.getvalue())
`;

describe.runIf(needed(hasTool("python3", ["--version"])))("Python", () => {
  test.each([
    ["file", "ZIP_DEFLATED"],
    ["file", "ZIP_STORED"],
    ["stream", "ZIP_DEFLATED"],
    ["stream", "ZIP_STORED"],
  ])("zipfile to a %s, %s", async (target, method) => {
    expect(await listed(python(zipScript, [target, method], { cwd: source }))).toEqual(treePaths);
  });

  test("zipfile with another compression is refused", async () => {
    const bytes = python(zipScript, ["file", "ZIP_LZMA"], { cwd: source });
    await expect(listed(bytes)).rejects.toMatchObject({ reason: "ZIP_METHOD" });
  });

  test.each(["PAX_FORMAT", "GNU_FORMAT"])("tarfile as AgentiCraft's client packs, %s", async (format) => {
    expect(await listed(python(tarScript, [format], { cwd: source }))).toEqual(treePaths);
  });
});

const gnuTar = hasTool("tar", ["--version"]) && runTool("tar", ["--version"]).toString().includes("GNU");
describe.runIf(needed(gnuTar))("GNU tar", () => {
  test.each([
    ["gnu", "weather", ".."],
    ["posix", "weather", ".."],
    ["gnu", ".", "."],
    ["posix", ".", "."],
  ])("--format=%s of %s", async (format, what, from) => {
    const bytes = runTool("tar", [`--format=${format}`, "-C", from, "-czf", "-", what], { cwd: source });
    expect(await listed(bytes)).toEqual(treePaths);
  });

  test("--format=ustar", async () => {
    const bytes = runTool(
      "tar",
      ["--format=ustar", "-C", "..", "-czf", "-", ...pluginPaths.map((p) => `weather/${p}`)],
      {
        cwd: source,
      },
    );
    expect(await listed(bytes)).toEqual(pluginPaths);
  });
});

describe.runIf(needed(hasTool("bsdtar", ["--version"])))("bsdtar", () => {
  test.each(["pax", "ustar", "gnutar", "zip"])("--format=%s", async (format) => {
    const paths = format === "ustar" || format === "zip" ? pluginPaths : treePaths;
    const out = join(scratch.path, `bsd-${format}`);
    runTool("bsdtar", [`--format=${format}`, ...(format === "zip" ? [] : ["-z"]), "-cf", out, ...paths], {
      cwd: source,
    });
    expect(await listed(await readFile(out))).toEqual(paths);
  });
});

describe("libraries of Node.js", () => {
  test.each([
    ["seekable", false],
    ["streamed", true],
  ])("JSZip, %s", async (_title, streamFiles) => {
    const zip = new JSZip();
    for (const [path, content] of Object.entries(tree)) zip.file(path, content);
    for (const compression of ["DEFLATE", "STORE"] as const) {
      for (const platform of ["UNIX", "DOS"] as const) {
        const bytes = await zip.generateAsync({ type: "uint8array", compression, platform, streamFiles });
        expect(await listed(bytes)).toEqual(treePaths);
      }
    }
  });

  test("adm-zip", async () => {
    const zip = new AdmZip();
    for (const [path, content] of Object.entries(tree)) zip.addFile(path, Buffer.from(content));
    expect(await listed(zip.toBuffer())).toEqual(treePaths);
  });

  test("adm-zip, from a folder", async () => {
    const zip = new AdmZip();
    zip.addLocalFolder(source);
    expect(await listed(zip.toBuffer())).toEqual(treePaths);
  });

  test("fflate", async () => {
    const files = Object.fromEntries(Object.entries(tree).map(([path, content]) => [path, Buffer.from(content)]));
    expect(await listed(zipSync(files))).toEqual(treePaths);
    expect(await listed(zipSync(files, { level: 0 }))).toEqual(treePaths);
  });

  test("yazl", async () => {
    const zip = new ZipFile();
    for (const [path, content] of Object.entries(tree)) zip.addBuffer(Buffer.from(content), path);
    zip.addFile(join(source, "LICENSE"), "NOTICE");
    zip.end();
    const out = join(scratch.path, "yazl.zip");
    await pipeline(zip.outputStream, createWriteStream(out));
    expect(await listed(await readFile(out))).toEqual([...treePaths, "NOTICE"].sort());
  });
});

describe.runIf(needed(hasTool("npm", ["--version"])))("npm pack", () => {
  test("gives a package that is read from package/", async () => {
    const folder = join(scratch.path, "npm");
    await mkdir(join(folder, "lib"), { recursive: true });
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: "@acme/weather", version: "1.0.0", main: "lib/a.js" }),
    );
    await writeFile(join(folder, "lib/a.js"), "export {};\n");
    const out = runTool("npm", ["pack", "--silent", "--offline", "--ignore-scripts"], { cwd: folder })
      .toString()
      .trim();
    const inspection = await scratch.inspect(await readFile(join(folder, out)));
    expect(inspection).toMatchObject({ format: "npm", name: "@acme/weather", version: "1.0.0", kind: "package" });
    expect(inspection.files.map((file) => file.path)).toEqual(["lib/a.js", "package.json"]);
  });
});
