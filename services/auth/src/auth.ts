import { type Journal, openJournal } from "@registry/audit";
import type { Documents } from "@registry/documents";
import { journaled, probe, type Service, type Surroundings } from "@registry/kit";
import { auditTable } from "./audit/grpc.ts";
import { HeadFile } from "./audit/head-file.ts";
import { HeadKeeper } from "./audit/head-keeper.ts";
import { AuditLog } from "./audit/log.ts";
import type { AuditParts } from "./audit/parts.ts";
import { SignedHeads } from "./audit/signed-heads.ts";
import { bootstrapAdmin } from "./bootstrap.ts";
import { CallerTokens } from "./caller-tokens.ts";
import { Gate } from "./gate.ts";
import { authTable } from "./grpc.ts";
import type { AuthConfig, Parts } from "./parts.ts";
import { hashPassword } from "./passwords.ts";
import { openApiTokens } from "./store/api-tokens.ts";
import { Counters } from "./store/counters.ts";
import { LoginThrottle } from "./store/failures.ts";
import { RevokedTokens } from "./store/revoked.ts";
import { openUsers } from "./store/users.ts";
import { startSweeper } from "./sweeper.ts";
import { createWithdraw } from "./withdraw.ts";

export interface AuthDeps extends Surroundings {
  readonly documents: Documents;
  /** Path of the bootstrap administrator's token. */
  readonly adminTokenFile: string;
  /** Path of the file for signed ends of the audit log: apart from the store, so that it counts against its holder. */
  readonly auditHeadFile: string;
}

export interface AuthService extends Service {
  /** Set by `start` where it made the first administrator and this file with its token. */
  readonly adminTokenFile: string | undefined;
}

/** As many hashes at once as leave two cores something to do, and as many waiting as are done in a few seconds. */
const hashesAtOnce = 2;
const hashesWaiting = 100;

export async function createAuthService(config: AuthConfig, deps: AuthDeps): Promise<AuthService> {
  const { documents, clock, ids, keys, log } = deps;
  const counters = await Counters.open(documents);
  const auditLog = await AuditLog.open(documents, keys, log);
  const audit: AuditParts = { auditLog, heads: await SignedHeads.open(documents), keys, clock };
  const journal = await openJournal({ documents, clock, log, deliver: (entries) => auditLog.append(entries) });
  const parts: Parts = {
    config,
    clock,
    ids,
    keys,
    log,
    users: await openUsers(documents),
    apiTokens: await openApiTokens(documents),
    revoked: await RevokedTokens.open(documents),
    counters,
    throttle: await LoginThrottle.open(documents),
    callerTokens: new CallerTokens(keys.callerTokens),
    hashing: new Gate(hashesAtOnce, hashesWaiting),
    withdraw: createWithdraw(counters, deps),
    dummyHash: await hashPassword(ids.secret(16)),
  };
  return assemble(parts, audit, journal, deps);
}

function assemble(parts: Parts, audit: AuditParts, journal: Journal, deps: AuthDeps): AuthService {
  const file = new HeadFile(deps.auditHeadFile);
  const headKeeper = new HeadKeeper({
    ...audit,
    file,
    log: parts.log,
    everyMs: parts.config.AUDIT_HEAD_SECONDS * 1000,
  });
  let adminTokenFile: string | undefined;
  let stopSweeper = (): void => undefined;
  return {
    name: "auth",
    tables: journaled([authTable(parts), auditTable(audit)], journal),
    get adminTokenFile() {
      return adminTokenFile;
    },
    async start() {
      adminTokenFile = await bootstrapAdmin(parts, deps.adminTokenFile);
      stopSweeper = startSweeper(parts);
      journal.start();
      await headKeeper.start();
    },
    async checks() {
      return { database: await probe(() => deps.documents.ping()) };
    },
    async close() {
      stopSweeper();
      await journal.close();
      await headKeeper.close();
    },
  };
}
