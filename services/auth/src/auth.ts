import { type Journal, openJournal } from "@registry/audit";
import type { Documents } from "@registry/documents";
import { journaled, probe, type Service, type Surroundings } from "@registry/kit";
import { Limits } from "@registry/limits";
import { auditTable } from "./audit/grpc.ts";
import { HeadFile } from "./audit/head-file.ts";
import { HeadKeeper } from "./audit/head-keeper.ts";
import { AuditLog } from "./audit/log.ts";
import type { AuditParts } from "./audit/parts.ts";
import { SignedHeads } from "./audit/signed-heads.ts";
import { bootstrapAdmin } from "./bootstrap.ts";
import { CallerTokens, sharedSecret } from "./caller-tokens.ts";
import { federationTable } from "./federation/grpc.ts";
import { type FederationParts, openFederation } from "./federation/parts.ts";
import { Gate } from "./gate.ts";
import { authTable } from "./grpc.ts";
import { organisationTable } from "./organisations/grpc.ts";
import { createSettler } from "./organisations/settler.ts";
import { Organisations } from "./organisations/store/organisations.ts";
import type { AuthConfig, Parts } from "./parts.ts";
import { hashPassword } from "./passwords.ts";
import { Quotas } from "./quotas.ts";
import { openApiTokens } from "./store/api-tokens.ts";
import { Counters } from "./store/counters.ts";
import { LoginThrottle } from "./store/failures.ts";
import { Namespaces } from "./store/namespaces.ts";
import { RevokedTokens } from "./store/revoked.ts";
import { SigningKeys } from "./store/signing-keys.ts";
import { openUsers } from "./store/users.ts";
import { createSweeper } from "./sweeper.ts";
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
  const { documents, clock, ids, keys, log, metrics } = deps;
  const refused = (limit: string): void => metrics.rateLimited.inc({ limit });
  const counters = await Counters.open(documents);
  const signingKeys = await openSigningKeys(config, deps);
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
    namespaces: await Namespaces.open(documents),
    organisations: await Organisations.open(documents),
    apiTokens: await openApiTokens(documents),
    revoked: await RevokedTokens.open(documents),
    counters,
    throttle: await LoginThrottle.open(documents),
    quotas: new Quotas(await Limits.open(documents, clock, refused), config, metrics),
    callerTokens: new CallerTokens(signingKeys ?? sharedSecret(keys.callerTokens), config.JWT_ISSUER),
    signingKeys,
    hashing: new Gate(hashesAtOnce, hashesWaiting),
    withdraw: createWithdraw(counters, deps),
    dummyHash: await hashPassword(ids.secret(16)),
  };
  return assemble({ parts, federation: await openFederation(parts, documents), audit, journal }, deps);
}

async function openSigningKeys(config: AuthConfig, deps: AuthDeps): Promise<SigningKeys | undefined> {
  if (config.JWT_ALGORITHM === "HS256") return undefined;
  const { documents, clock, ids, keys } = deps;
  const [rotationDays, lifetimeDays] = [config.JWT_ROTATION_DAYS, config.TOKEN_LIFETIME_DAYS];
  return SigningKeys.open(documents, { clock, ids, keys, rotationDays, lifetimeDays });
}

interface Assembly {
  readonly parts: Parts;
  readonly federation: FederationParts;
  readonly audit: AuditParts;
  readonly journal: Journal;
}

function assemble({ parts, federation, audit, journal }: Assembly, deps: AuthDeps): AuthService {
  const file = new HeadFile(deps.auditHeadFile);
  const headKeeper = new HeadKeeper({
    ...audit,
    file,
    log: parts.log,
    everyMs: parts.config.AUDIT_HEAD_SECONDS * 1000,
  });
  const sweeper = createSweeper(federation);
  const settler = createSettler(parts);
  let adminTokenFile: string | undefined;
  return {
    name: "auth",
    tables: journaled(
      [authTable(parts), organisationTable(parts), federationTable(federation), auditTable(audit)],
      journal,
    ),
    get adminTokenFile() {
      return adminTokenFile;
    },
    async start() {
      adminTokenFile = await bootstrapAdmin(parts, deps.adminTokenFile);
      await parts.signingKeys?.current();
      sweeper.start();
      settler.start();
      void settler.kick();
      journal.start();
      await headKeeper.start();
    },
    async checks() {
      return { database: await probe(() => deps.documents.ping()) };
    },
    async close() {
      await sweeper.close();
      await settler.close();
      await journal.close();
      await headKeeper.close();
    },
  };
}
