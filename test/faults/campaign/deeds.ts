import { sha256 } from "../../e2e/http.ts";
import { keyOf } from "../invariants/context.ts";
import { ask, askToDownload, type Reply, textOf } from "./client.ts";
import { isPassing } from "./publishing.ts";
import { anyGateway, type Setting } from "./setting.ts";
import type { Shelved } from "./shelf.ts";
import type { Deed } from "./tally.ts";

/** Every replica shows within this time what was acknowledged. */
const seenWithinMs = 10_000;

/** A whole package, as it was published or as clients unpack it. */
export async function download(setting: Setting): Promise<void> {
  const release = setting.shelf.any();
  if (release === undefined) return;
  const { name, version } = release;
  const packing = setting.random.below(4) === 0 ? "tar.gz" : "zip";
  const begunAt = performance.now();
  const reply = await askToDownload(anyGateway(setting), release, packing).catch(() => undefined);
  const { journal, tally } = setting;
  if (reply?.status !== 200) {
    journal.add({ type: "download", name, version, outcome: reply === undefined ? "unknown" : "refused" });
    tally.add("download", begunAt, release.removed);
    const known = begunAt - release.since > seenWithinMs && !release.removed;
    if (known && reply !== undefined && !isPassing(reply.status)) tell(setting, "download", release, reply);
    return;
  }
  const digest = packing === "zip" ? { sha256: sha256(reply.bytes) } : {};
  journal.add({ type: "download", name, version, outcome: "complete", ...digest });
  tally.add("download", begunAt, true);
}

export async function search(setting: Setting): Promise<void> {
  const { shelf, random } = setting;
  const name = shelf.any()?.name ?? "fault";
  const paths = [`/api/v1/search?q=${name}`, `/api/v1/plugins?query=${name}&limit=20`, "/api/v1/analytics/popular"];
  const path = paths[random.below(paths.length)] ?? "";
  await simply(setting, "search", "GET", path, [200]);
}

/** Yanks or takes that back. */
export async function yank(setting: Setting): Promise<void> {
  const release = setting.shelf.any();
  if (release === undefined) return;
  const path = `/api/v1/plugins/${release.name}/versions/${release.version}/yank`;
  await simply(setting, "yank", setting.random.below(2) === 0 ? "PUT" : "DELETE", path, [200]);
}

/** Takes a release away for ever, once. */
export async function remove(setting: Setting): Promise<void> {
  const { shelf } = setting;
  const release = shelf.any();
  if (release === undefined || shelf.removed * 8 > shelf.size) return;
  await tryToRemove(setting, release);
}

/** Left in `openRemovals` where it came to no end. */
export async function tryToRemove(setting: Setting, release: Shelved): Promise<void> {
  const { name, version } = release;
  const again = release.removed;
  release.removed = true;
  const path = `/api/v1/plugins/${name}/versions/${version}`;
  // Where it was tried before, it may have come about unheard.
  const status = await simply(setting, "delete", "DELETE", path, again ? [200, 204, 404, 410] : [200, 204]);
  const gone = status === 404 || status === 410 ? 200 : status;
  setting.journal.add({ type: "removal", name, version, status: gone });
  if (isPassing(status)) setting.openRemovals.push(release);
}

async function simply(
  setting: Setting,
  deed: Deed,
  method: string,
  path: string,
  right: readonly number[],
): Promise<number | null> {
  const begunAt = performance.now();
  const reply = await ask(method, anyGateway(setting) + path, { token: setting.token }).catch(() => undefined);
  const fine = reply !== undefined && right.includes(reply.status);
  setting.tally.add(deed, begunAt, fine);
  if (reply !== undefined && !fine && !isPassing(reply.status)) {
    setting.unexpected(`${method} ${path}: ${reply.status} ${textOf(reply).slice(0, 200)}`);
  }
  return reply?.status ?? null;
}

function tell(setting: Setting, what: string, release: Shelved, reply: Reply): void {
  setting.unexpected(`${what} of ${keyOf(release)}: ${reply.status} ${textOf(reply).slice(0, 200)}`);
}
