import { z } from "zod";

const text = z.string();
const nullable = text.nullable();
const time = text.meta({ format: "date-time" });
const sha256 = text.regex(/^[0-9a-f]{64}$/);
const anyObject = z.record(z.string(), z.unknown());

export const auditRowSchema = z
  .object({
    sequence: z.int().min(1),
    id: text,
    time: time.nullable(),
    actor_type: z.enum(["user", "service", "anonymous"]),
    actor: nullable,
    actor_id: z.int().nullable(),
    token_id: nullable,
    address: nullable,
    via: nullable,
    action: text,
    target: nullable,
    organisation: nullable,
    before: anyObject.nullable(),
    after: anyObject.nullable(),
    result: z.enum(["ok", "denied", "failed", "interrupted"]),
    reason: nullable,
    request_id: nullable,
    previous_hash: sha256,
    hash: sha256,
  })
  .meta({ id: "AuditRow", description: "One change: who did what, and how it ended" });

export const auditHeadSchema = z
  .object({
    sequence: z.int().min(0),
    hash: sha256,
    time,
    signature: text.meta({ description: "Ed25519, base64url" }),
    public_key: text.meta({ description: "SPKI in PEM" }),
  })
  .meta({ id: "AuditHead", description: "The end of the audit log, signed, to be kept elsewhere" });
