import { join } from "node:path";
import type { AllSettings } from "./settings.ts";

/** Path of the file for signed ends of the audit log. */
export function auditHeadFile(settings: Pick<AllSettings, "AUDIT_HEAD_FILE" | "DATA_DIR">): string {
  return settings.AUDIT_HEAD_FILE ?? join(settings.DATA_DIR, "audit-heads.jsonl");
}
