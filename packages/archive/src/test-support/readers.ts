import { createHash } from "node:crypto";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import type { OpenArchive } from "../archive.ts";
import { python, runTool } from "./tools.ts";

/** What one reader sees: path of each file to a word about its content. */
export type Listing = Readonly<Record<string, string>>;

/** Our own view: paths as in the archive, sha256 of each content, which is read to its end. */
export async function ownListing(archive: OpenArchive): Promise<Listing> {
  const listing: Record<string, string> = {};
  for (const file of archive.files) {
    const hash = createHash("sha256");
    for await (const chunk of archive.read(file)) hash.update(chunk);
    listing[archive.topFolder === "" ? file.path : `${archive.topFolder}/${file.path}`] = hash.digest("hex");
  }
  return listing;
}

const pythonScript = `
import hashlib, json, sys, tarfile, zipfile
def zip_listing(path):
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        assert len({info.filename for info in infos}) == len(infos)
        return {info.filename: hashlib.sha256(archive.read(info)).hexdigest() for info in infos}
def tar_listing(path):
    with tarfile.open(path, "r:gz") as archive:
        members = archive.getmembers()
        assert all(member.isreg() or member.isdir() for member in members)
        return {member.name: hashlib.sha256(archive.extractfile(member).read()).hexdigest() for member in members if member.isreg()}
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        print(json.dumps({"zip": zip_listing, "tar": tar_listing}[sys.argv[1]](path)))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
`;

/** Python's view of many archives, by one process. */
export function pythonListings(kind: "zip" | "tar", paths: readonly string[]): readonly Listing[] {
  if (paths.length === 0) return [];
  const lines = python(pythonScript, [kind], { input: paths.map((path) => `${path}\n`).join("") })
    .toString()
    .trim()
    .split("\n");
  return lines.map((line): Listing => JSON.parse(line));
}

/** Names only, as `unzip` lists them, after it has tested every content. */
export function unzipNames(path: string): readonly string[] {
  runTool("unzip", ["-tqq", path]);
  return fileLines(runTool("unzip", ["-Z1", path]));
}

export function gnuTarNames(path: string): readonly string[] {
  return fileLines(runTool("tar", ["--quoting-style=literal", "-tzf", path]));
}

function fileLines(output: Buffer): readonly string[] {
  return output
    .toString()
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("/"))
    .sort();
}

/** Names only, as yauzl lists them with all of its checks on. */
export async function yauzlNames(bytes: Buffer): Promise<readonly string[]> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true, strictFileNames: true }, (error, opened) =>
      opened === undefined ? reject(error) : resolve(opened),
    );
  });
  const names: string[] = [];
  await new Promise<void>((resolve, reject) => {
    zip.on("entry", (entry: Entry) => {
      if (!entry.fileName.endsWith("/")) names.push(entry.fileName);
      zip.readEntry();
    });
    zip.once("end", resolve);
    zip.once("error", reject);
    zip.readEntry();
  });
  return names.sort();
}
