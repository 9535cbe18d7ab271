import { isAcknowledged } from "../invariants/journal.ts";
import { askToPublish, textOf } from "./client.ts";
import type { Package } from "./packages.ts";
import type { Setting } from "./setting.ts";

/** One publish that has to come to an end, however often it is tried. */
export interface Task {
  readonly pack: Package;
  /** Whether somebody publishes the same version with other bytes: then it may lose. */
  readonly contested: boolean;
}

/** Not an answer to what was asked: the same request again may come to something else. */
export const isPassing = (status: number | null): boolean =>
  status === null || status >= 500 || status === 429 || status === 408;

/** Tries once. What came to no end is left in `open`. @returns the answer's status, null without one */
export async function tryToPublish(setting: Setting, gateway: string, task: Task): Promise<number | null> {
  const { pack, contested } = task;
  const { name, version, sha256 } = pack;
  const begunAt = performance.now();
  let said = "";
  const status = await askToPublish(gateway, setting.token, pack.zip).then(
    (reply) => {
      said = textOf(reply);
      return reply.status;
    },
    () => null,
  );
  setting.journal.add({ type: "publish", name, version, sha256, status });
  const acknowledged = status !== null && isAcknowledged({ status });
  const lost = status === 409 && (contested || setting.shelf.isRemoved(pack));
  setting.tally.add("publish", begunAt, acknowledged || lost);
  if (acknowledged) setting.shelf.put(pack);
  else if (isPassing(status)) setting.open.push(task);
  else if (!lost) setting.unexpected(`publish of ${name}@${version}: ${status} ${said.slice(0, 200)}`);
  return status;
}

/** Two clients at two gateways publish the same version at once: the same bytes both succeed, of other bytes one. */
export async function raceToPublish(setting: Setting): Promise<void> {
  const { packages, random, gateways } = setting;
  const one = packages.next();
  const contested = random.below(2) === 0;
  const other = contested ? packages.other(one) : one;
  const [first = "", second = first] = random.shuffled(gateways);
  const statuses = await Promise.all([
    tryToPublish(setting, first, { pack: one, contested }),
    tryToPublish(setting, second, { pack: other, contested }),
  ]);
  const { name, version } = one;
  if (statuses.every((status) => status === 409)) setting.unexpected(`${name}@${version}: both publishers lost`);
}
