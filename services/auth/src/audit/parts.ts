import type { AuditServiceDefinition } from "@registry/contracts/audit";
import type { Clock, Handler, Keys } from "@registry/kit";
import type { AuditLog } from "./log.ts";
import type { SignedHeads } from "./signed-heads.ts";

/** What the use cases of the audit log are made of. */
export interface AuditParts {
  readonly auditLog: AuditLog;
  readonly heads: SignedHeads;
  readonly keys: Keys;
  readonly clock: Clock;
}

type Methods = (typeof AuditServiceDefinition)["methods"];
export type AuditUseCase<M extends keyof Methods> = (parts: AuditParts) => Handler<Methods[M]>;
