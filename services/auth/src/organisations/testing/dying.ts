import { intercepted } from "@registry/documents/testing";
import { unavailable } from "@registry/domain";
import { composeReplica, type Replica, type Store } from "../../testing/harness.ts";

/** A replica that dies, as far as the store can tell, instead of its nth call of this method. */
export async function dyingReplica(
  store: Store,
  collection: string,
  method: "updateOne" | "updateMany" | "insertOne",
  nth = 1,
): Promise<Replica> {
  let calls = 0;
  let dead = false;
  const die = (): Promise<never> => {
    dead = true;
    return Promise.reject(unavailable("the document store"));
  };
  const whole = ["counters", "users", "organisations", "namespaces", "tokens"] as const;
  let documents = intercepted(store.documents, collection, method, (call) => {
    calls += 1;
    return dead || calls === nth ? die() : call();
  });
  // After its death nothing else that it would have cleaned up is written either.
  for (const name of whole) {
    for (const write of ["updateOne", "findOneAndUpdate", "deleteOne", "insertOne", "insertNew"] as const) {
      if (name === collection && write === method) continue;
      documents = intercepted(documents, name, write, (call) => (dead ? die() : call()));
    }
  }
  return composeReplica(store, { documents });
}
