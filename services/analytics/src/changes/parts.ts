import type { ChangeServiceDefinition } from "@registry/contracts/changes";
import type { Clients, Clock, Handler, Keys, Logger } from "@registry/kit";
import type { ChangeStore } from "./store/changes.ts";
import type { Tail } from "./tail.ts";

/** What the use cases of the feed are made of. */
export interface ChangeParts {
  readonly clock: Clock;
  readonly keys: Keys;
  readonly log: Logger;
  readonly clients: Clients;
  readonly changes: ChangeStore;
  readonly tail: Tail;
}

type Methods = (typeof ChangeServiceDefinition)["methods"];
/** A use case: given its parts, it handles the RPC of its name. */
export type ChangeUseCase<M extends keyof Methods> = (parts: ChangeParts) => Handler<Methods[M]>;
