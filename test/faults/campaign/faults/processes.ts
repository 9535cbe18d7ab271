import { setTimeout as pause } from "node:timers/promises";
import { type Fault, milliseconds, type Scene } from "../scene.ts";

export const services = ["auth", "catalog", "storage", "analytics", "gateway"] as const;
type Service = (typeof services)[number];

/** Some moment of whatever clients are doing. */
const someMomentMs = 300;

/** One of the replicas, or sometimes all. */
function victims({ registry, random }: Scene, service: Service): string[] {
  const replicas = registry.stack.names.filter((name) => name.startsWith(service));
  return random.below(3) === 0 ? replicas : random.shuffled(replicas).slice(0, 1);
}

const endedWell = (log: string): boolean => log.trimEnd().endsWith("[ended with 0]");

const atSomeMoment = ({ random }: Scene): Promise<void> => pause(random.below(someMomentMs));

export const kill = (service: Service): Fault => ({
  kind: `kill -9 ${service}`,
  async run(scene) {
    const { stack } = scene.registry;
    const names = victims(scene, service);
    await atSomeMoment(scene);
    await Promise.all(names.map((name) => stack.kill(name)));
    await pause(milliseconds(scene) / 2);
    scene.lifted();
    await Promise.all(names.map((name) => stack.restart(name)));
    return names.join(" and ");
  },
});

/** SIGTERM: it says that it is not ready, ends what is under way, and goes. */
export const terminate = (service: Service): Fault => ({
  kind: `SIGTERM ${service}`,
  async run(scene) {
    const { stack } = scene.registry;
    const names = victims(scene, service);
    await atSomeMoment(scene);
    await Promise.all(names.map((name) => stack.kill(name, "SIGTERM")));
    for (const name of names.filter((each) => !endedWell(stack.logs(each)))) {
      scene.setting.unexpected(`${name} did not end by itself after SIGTERM`);
    }
    scene.lifted();
    await Promise.all(names.map((name) => stack.restart(name)));
    return names.join(" and ");
  },
});

/** It hangs, connections and all, and goes on later where it was. */
export const halt = (service: Service): Fault => ({
  kind: `SIGSTOP ${service}`,
  async run(scene) {
    const { stack } = scene.registry;
    const names = victims(scene, service);
    await atSomeMoment(scene);
    for (const name of names) await stack.kill(name, "SIGSTOP");
    await pause(milliseconds(scene));
    scene.lifted();
    for (const name of names) await stack.kill(name, "SIGCONT");
    return names.join(" and ");
  },
});
