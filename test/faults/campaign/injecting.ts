import { setTimeout as pause } from "node:timers/promises";
import { answersHttp } from "../../servers/probes.ts";
import type { Fault, Scene } from "./scene.ts";

/** What came of one fault. */
export interface Injected {
  readonly kind: string;
  readonly detail: string;
  /** From its end to the first publish and the first download that were begun after it and served; undefined: none came. */
  readonly recoveredMs: number | undefined;
  /** Requests that were begun from its begin to the recovery. */
  readonly tried: number;
  readonly failed: number;
}

const recoverWithinMs = 60_000;
const lookEveryMs = 100;

/** Does one fault, and waits until the registry serves again and every process is ready. */
export async function inject(fault: Fault, scene: Omit<Scene, "lifted">): Promise<Injected> {
  const { tally, journal } = scene.setting;
  const begun = performance.now();
  let lifted = begun;
  journal.add({ type: "note", text: `begins: ${fault.kind}` });
  const atLift = (): void => {
    lifted = performance.now();
  };
  const detail = await fault.run({ ...scene, lifted: atLift });
  const recovered = await tally.servedAfter(lifted, ["publish", "download"], recoverWithinMs);
  const recoveredAt = performance.now();
  const ready = await allReady(scene.registry.stack.health.values().toArray());
  journal.add({ type: "note", text: `ended: ${fault.kind}: ${detail}` });
  const recoveredMs = recovered && ready ? Math.round(recoveredAt - lifted) : undefined;
  return { kind: fault.kind, detail, recoveredMs, ...tally.between(begun, recoveredAt) };
}

export async function allReady(urls: readonly string[]): Promise<boolean> {
  const limit = performance.now() + recoverWithinMs;
  while (performance.now() < limit) {
    if ((await Promise.all(urls.map((url) => answersHttp(`${url}/ready`)))).every(Boolean)) return true;
    await pause(lookEveryMs);
  }
  return false;
}
