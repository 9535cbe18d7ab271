import type { Seeded } from "../seeded.ts";
import { consumerDies, eventsAgain, poison } from "./faults/events.ts";
import { halt, kill, services, terminate } from "./faults/processes.ts";
import { manyRaces } from "./faults/races.ts";
import { busDataLost, busLongAway, storeAway } from "./faults/stores.ts";
import type { Fault } from "./scene.ts";

const always: readonly Fault[] = [busLongAway, busDataLost, eventsAgain, poison, consumerDies, manyRaces];

/** Each kind of fault once, each time on another part of the registry. */
export function shortPlan(random: Seeded): Fault[] {
  const [one = "catalog", other = "gateway", third = "storage"] = random.shuffled(services);
  const how = random.below(2) === 0 ? ["kill", "stop"] : ["stop", "kill"];
  const stores = [storeAway("mongo", how[0] as "kill"), storeAway("minio", how[1] as "kill")];
  return random.shuffled([kill(one), terminate(other), halt(third), ...stores, ...always]);
}

/** Every fault on every part, in any order; again and again for as long as there is time. */
export function* longPlan(random: Seeded): Generator<Fault> {
  const processes = services.flatMap((service) => [kill(service), terminate(service), halt(service)]);
  const stores = (["mongo", "minio", "nats"] as const).flatMap((store) => [
    storeAway(store, "stop"),
    storeAway(store, "kill"),
  ]);
  for (;;) yield* random.shuffled([...processes, ...stores, ...always, consumerDies, consumerDies]);
}
