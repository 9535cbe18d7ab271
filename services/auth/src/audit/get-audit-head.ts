import { signHead } from "@registry/audit";
import { invalid } from "@registry/domain";
import type { AuditUseCase } from "./parts.ts";

const most = 1000;

export const getAuditHead: AuditUseCase<"getAuditHead"> =
  ({ auditLog, heads, keys, clock }) =>
  async ({ limit }) => {
    const count = limit === 0 ? 1 : limit;
    if (count < 1 || count > most) throw invalid("INVALID_LIMIT", `limit must be 1 to ${most}`, "/limit");
    return {
      current: signHead(keys, await auditLog.end(), clock.now()),
      kept: await heads.newest(count),
      publicKey: keys.audit.verifying.export({ type: "spki", format: "pem" }).toString(),
    };
  };
