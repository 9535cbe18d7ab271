import { raceToPublish } from "../publishing.ts";
import type { Fault } from "../scene.ts";

const races = 8;

/** Beside those that are always run: many at once, each over two gateways and so over any replicas. */
export const manyRaces: Fault = {
  kind: "the same versions published at once",
  async run(scene) {
    scene.lifted();
    await Promise.all(Array.from({ length: races }, () => raceToPublish(scene.setting)));
    return `${races} versions`;
  },
};
