import { ChangeServiceDefinition } from "@registry/contracts/changes";
import { defineService, readers, type ServiceTable, services } from "@registry/kit";
import type { ChangeParts } from "./parts.ts";
import { listChanges } from "./usecases/list-changes.ts";
import { watchHead } from "./usecases/watch-head.ts";

export function changeTable(parts: ChangeParts): ServiceTable {
  return defineService(ChangeServiceDefinition, {
    listChanges: { allow: readers, handle: listChanges(parts) },
    watchHead: { allow: services("gateway"), handle: watchHead(parts), maxDurationMs: 0 },
  });
}
