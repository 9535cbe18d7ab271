import { ReviewDecision } from "@registry/contracts/catalog";
import { password } from "../e2e/world.ts";
import { account, counter, type Fixture, member, plugin, release, robot, succeeds } from "./fixture.ts";
import {
  always,
  type CallerKind,
  type Expected,
  everybody,
  maintainers,
  members,
  owners,
  publishers,
  type Row,
  unscoped,
  users,
} from "./row.ts";

/** One gRPC request, as the generated code takes it. */
export type Message = object;

export interface RpcRow extends Row<Message> {
  /** Services of the registry that may call it in their own name; none where absent. */
  readonly services?: readonly string[];
  /** What the others of them are told; `denied` where absent. */
  readonly othersAre?: Expected;
}

type Ask = RpcRow["ask"];

const onSecret =
  (more: object = {}): Ask =>
  (f) => ({ name: f.secret, ...more });
const onRelease =
  (more: object = {}): Ask =>
  async (f) => ({ name: f.secret, version: await release(f), ...more });
const onPlugin =
  (more: object = {}): Ask =>
  async (f) => ({ name: await plugin(f), ...more });
const onOrg =
  (more: object = {}): Ask =>
  (f) => ({ organisation: f.org, ...more });

const anybody = (ask: Ask, services: readonly string[] = everyService): RpcRow => ({
  lets: everybody,
  refusal: "closed",
  ask,
  services,
});
const neighbours = ["catalog", "storage", "analytics", "gateway"];
const everyService = ["auth", "catalog", "storage", "analytics", "gateway", "cli"];
const read = (ask: Ask): RpcRow => ({ lets: members, refusal: "hidden", read: true, ask, services: everyService });
const change = (lets: readonly CallerKind[], ask: Ask, more: Partial<RpcRow> = {}): RpcRow => ({
  lets,
  refusal: "hidden",
  ask,
  ...more,
});
const onlyServices = (services: readonly string[], ask: Ask = () => ({})): RpcRow => ({
  lets: [],
  refusal: "closed",
  services,
  ask,
});
const closed = (lets: readonly CallerKind[], ask: Ask, services: readonly string[] = []): RpcRow => ({
  lets,
  refusal: "closed",
  ask,
  services,
});
const spends = { spends: true } as const;

export const catalogRows: Readonly<Record<string, RpcRow>> = {
  getRegistryInfo: anybody(() => ({})),
  getPlugin: read(onSecret()),
  listPlugins: anybody(() => ({})),
  searchPlugins: anybody(() => ({})),
  getRelease: read(onSecret({ version: "1.0.0" })),
  listReleases: read(onSecret()),
  resolveDownload: read(onSecret({ version: "1.0.0" })),
  // Whose upload it is comes first; what a name lets its publisher do is told by the routes of the gateway.
  publishRelease: { lets: [], refusal: "hidden", sees: [], ask: () => ({ uploadId: "no-such-upload" }) },
  updatePlugin: change(publishers, onSecret({ title: "Another title" })),
  deletePlugin: change(maintainers, onPlugin(), spends),
  deleteRelease: change(maintainers, onRelease(), spends),
  yankRelease: change(publishers, onRelease()),
  unyankRelease: change(publishers, onRelease()),
  deprecate: change(publishers, onSecret({ deprecation: { message: "Use another" } })),
  undeprecate: change(publishers, onSecret()),
  reviewRelease: change(
    ["admin"],
    onRelease({ decision: ReviewDecision.REVIEW_DECISION_QUARANTINE, reason: "To be looked at" }),
    spends,
  ),
  listReviews: closed(["admin"], () => ({})),
  // An answer, not a right: what the caller is told is in the tests of the catalog.
  canPublish: closed(users, () => ({})),
  listOwners: change(members, onSecret()),
  setCollaborator: change(owners, async (f) => ({ name: f.secret, username: await account(f), role: "reader" })),
  removeCollaborator: change(
    owners,
    async (f) => {
      const username = await account(f);
      const path = `/api/v1/plugins/${f.secret}/owners/${username}`;
      await succeeds(f.callers.admin, "PUT", path, { role: "reader" });
      return { name: f.secret, username };
    },
    spends,
  ),
  transferPlugin: change(owners, onPlugin({ owner: "nobody-there" })),
  setChannel: change(publishers, onSecret({ channel: "beta", version: "1.0.0" })),
  deleteChannel: change(publishers, async (f) => {
    const path = `/api/v1/plugins/${f.secret}/channels/beta`;
    await succeeds(f.callers.admin, "PUT", path, { version: "1.0.0" });
    return { name: f.secret, channel: "beta" };
  }),
  filterReferenced: onlyServices(["storage"], () => ({ digests: [] })),
  // Asked for somebody by a service, never by anybody directly.
  filterVisible: onlyServices(everyService, (f) => ({ items: [{ name: f.secret }] })),
  watchChanges: onlyServices(["gateway"]),
  check: onlyServices(["gateway"]),
};

const operators = (ask: Ask = () => ({})): RpcRow => closed(["admin"], ask, ["cli"]);
const noDeadLetter: RpcRow = { ...operators(() => ({ id: "no-such" })), lets: [], expects: { admin: "missing" } };

export const eventRows: Readonly<Record<string, RpcRow>> = {
  getEventStatus: operators(),
  listDeadLetters: operators(),
  getDeadLetter: noDeadLetter,
  retryDeadLetter: noDeadLetter,
  dropDeadLetter: noDeadLetter,
  replayEvents: operators(() => ({ since: new Date() })),
  rebuildAnalytics: operators(),
  getAnalyticsRebuild: operators(),
};

export const maintenanceRows: Readonly<Record<string, RpcRow>> = {
  getOutboxes: onlyServices(["analytics"]),
  resendEvents: onlyServices(["analytics"], () => ({ key: "matrix", since: new Date() })),
  exportPlugins: onlyServices(["analytics"]),
  rebuildSearch: operators(),
  getSearchRebuild: operators(),
};

export const analyticsRows: Readonly<Record<string, RpcRow>> = {
  recordUsage: onlyServices(["gateway"]),
  getPopular: anybody(() => ({})),
  getPluginUsage: read((f) => ({ plugin: f.secret })),
  getMetrics: anybody(() => ({})),
};

export const insightsRows: Readonly<Record<string, RpcRow>> = {
  getDownloadSeries: read((f) => ({ plugin: f.secret })),
  getTrending: anybody(() => ({})),
  listSearches: closed(["admin"], () => ({})),
};

export const dependentsRows: Readonly<Record<string, RpcRow>> = { listDependents: read(onSecret()) };

/** A ticket is the right; without one nobody but the gateway is told whether the bytes are there. */
const byTicket = (ask: Ask): RpcRow => ({
  ...always("denied"),
  expects: { ...always("denied").expects, revoked: "unauthenticated" },
  services: ["gateway"],
  ask,
});
const noBlob = { sha256: "0".repeat(64), ticket: "" };

export const storageRows: Readonly<Record<string, RpcRow>> = {
  // A stream without a first message: whoever is let in is told so.
  uploadPackage: closed([...publishers, "stranger", "ownersPublishToken"], () => ({})),
  getUpload: {
    lets: [],
    refusal: "hidden",
    sees: [],
    services: ["catalog"],
    ask: () => ({ uploadId: "no-such-upload" }),
  },
  commitUpload: onlyServices(["catalog"], () => ({ uploadId: "no-such-upload" })),
  abortUpload: closed(users, () => ({ uploadId: "no-such-upload" }), ["catalog", "gateway"]),
  // Of a blob that is there; a digest of none is refused as such.
  runPackageTests: onlyServices(["catalog"], () => ({ sha256: "0".repeat(64) })),
  readBlob: byTicket(() => noBlob),
  readPackageFile: byTicket(() => ({ ...noBlob, path: "plugin.yaml" })),
  presignBlob: byTicket(() => noBlob),
  collectGarbage: closed(["admin"], () => ({ dryRun: true })),
  check: onlyServices(["gateway"]),
};

/** A token that may read nothing is told so, whether or not there is such an organisation. */
const inOrg = (lets: readonly CallerKind[], ask: Ask, more: Partial<RpcRow> = {}): RpcRow =>
  change(lets, ask, { expects: { ownersPublishToken: "denied" }, ...more });

export const organisationRows: Readonly<Record<string, RpcRow>> = {
  createOrganisation: closed(["stranger", "admin"], (f) => ({ name: f.name("new") })),
  getOrganisation: inOrg(members, (f) => ({ name: f.org })),
  listOrganisations: closed(
    users.filter((kind) => kind !== "ownersPublishToken"),
    () => ({}),
  ),
  updateOrganisation: inOrg(owners, (f) => ({ name: f.org, title: "The organisation" })),
  deleteOrganisation: inOrg(["admin"], async (f) => ({ name: await someOrg(f) }), {
    ...spends,
    sees: ["adminsReadToken"],
    expects: { ownersPublishToken: "denied", ownersReadToken: "denied" },
  }),
  listMembers: inOrg(members, onOrg()),
  setMember: inOrg(owners, async (f) => ({ organisation: f.org, username: await account(f), role: "reader" })),
  removeMember: inOrg(owners, async (f) => ({ organisation: f.org, username: await member(f) }), spends),
  createTeam: inOrg(owners, (f) => ({ organisation: f.org, name: `team-${counter()}` })),
  getTeam: inOrg(members, onOrg({ name: "core" }), {
    services: neighbours,
  }),
  listTeams: inOrg(members, onOrg()),
  updateTeam: inOrg(owners, onOrg({ name: "core", description: "The core" })),
  deleteTeam: inOrg(owners, async (f) => ({ organisation: f.org, name: await someTeam(f) }), spends),
  addTeamMember: inOrg(owners, async (f) => ({ organisation: f.org, team: "core", username: await member(f) })),
  removeTeamMember: inOrg(owners, async (f) => {
    const username = await member(f);
    await succeeds(f.callers.admin, "PUT", `/api/v1/orgs/${f.org}/teams/core/members/${username}`);
    return { organisation: f.org, team: "core", username };
  }),
  createServiceAccount: inOrg(owners, (f) => ({ organisation: f.org, username: f.name("robot"), role: "reader" })),
  deleteServiceAccount: inOrg(owners, async (f) => ({ organisation: f.org, username: await robot(f) }), spends),
  getNamespace: onlyServices(neighbours, (f) => ({ name: f.org })),
};

function someOrg(f: Fixture): Promise<string> {
  return f.lent("org", async () => {
    const name = f.name("gone");
    await succeeds(f.callers.admin, "POST", "/api/v1/orgs", { name });
    return name;
  });
}

function someTeam(f: Fixture): Promise<string> {
  return f.lent("team", async () => {
    const name = `team-${counter()}`;
    await succeeds(f.callers.admin, "POST", `/api/v1/orgs/${f.org}/teams`, { name });
    return name;
  });
}

const aToken = { token: "acr_not-one-of-ours" };

export const authRows: Readonly<Record<string, RpcRow>> = {
  // Registration is closed, which everybody is told.
  register: {
    lets: [],
    refusal: "closed",
    expects: { anonymous: "denied" },
    ask: (f) => ({ username: f.name("new"), email: "new@example.org", password }),
  },
  login: anybody((f) => ({ username: f.callers.stranger.username, password })),
  // Of a token that is none.
  logout: { ...always("unauthenticated"), othersAre: "unauthenticated", ask: () => aToken },
  exchangeCredential: anybody((f) => ({ credential: f.callers.stranger.token })),
  issueActingToken: onlyServices(["analytics"], () => ({ principal: { $case: "userId", value: 0 } })),
  getRevocationEpoch: anybody(() => ({})),
  getJwks: anybody(() => ({})),
  reportSecrets: anybody(() => ({ secrets: [aToken] })),
  getMe: closed(users, () => ({})),
  changePassword: closed(unscoped, () => ({ currentPassword: password, newPassword: "" })),
  listUsers: closed(["admin"], () => ({})),
  getUser: closed(["admin"], (f) => ({ username: f.callers.stranger.username }), ["catalog", "gateway"]),
  createUser: closed(["admin"], (f) => ({ username: f.name("made") })),
  updateUser: closed(["admin"], async (f) => ({ username: await account(f), role: "user" })),
  createApiToken: closed(unscoped, () => ({ name: "another", scopes: ["read"] })),
  listApiTokens: closed(unscoped, () => ({})),
  revokeApiToken: { lets: [], refusal: "hidden", sees: scopedOnes(), ask: () => ({ id: "no-such-token" }) },
  // With a wrong password.
  beginTotp: closed([], () => ({ password: "" })),
  confirmTotp: closed(unscoped, () => ({ code: "" })),
  disableTotp: closed(unscoped, () => ({ password: "", code: "" })),
  resetTotp: onlyServices(["cli"], (f) => ({ username: f.callers.user.username })),
  rotateSigningKey: closed(["admin"], () => ({})),
};

function scopedOnes(): readonly CallerKind[] {
  return users.filter((kind) => kind.endsWith("Token"));
}

export const federationRows: Readonly<Record<string, RpcRow>> = {
  getSignInOptions: anybody(() => ({})),
  beginSignIn: {
    // This registry has no provider.
    ...always("missing"),
    expects: { ...always("missing").expects, revoked: "unauthenticated" },
    othersAre: "missing",
    ask: () => ({ redirectUri: "http://127.0.0.1/callback" }),
  },
  finishSignIn: {
    ...always("unauthenticated"),
    othersAre: "unauthenticated",
    ask: () => ({ callbackUrl: "http://127.0.0.1/callback", sealedState: "none" }),
  },
  exchangeIdToken: {
    ...always("unauthenticated"),
    othersAre: "unauthenticated",
    ask: (f) => ({ idToken: "none", plugin: f.secret }),
  },
  createTrustedPublisher: closed(unscoped, (f) => ({ plugin: f.secret, issuer: "https://nobody.example" })),
  listTrustedPublishers: closed(unscoped, () => ({})),
  deleteTrustedPublisher: { lets: [], refusal: "hidden", sees: scopedOnes(), ask: () => ({ id: "no-such-publisher" }) },
};

export const auditRows: Readonly<Record<string, RpcRow>> = {
  recordAudit: onlyServices(
    everyService.filter((name) => name !== "cli"),
    () => ({ entries: [] }),
  ),
  listAudit: closed(["admin"], () => ({})),
  exportAudit: closed(["admin"], () => ({}), ["cli"]),
  getAuditHead: closed(["admin"], () => ({}), ["cli"]),
};

export const changeRows: Readonly<Record<string, RpcRow>> = {
  listChanges: anybody(() => ({ limit: 1 })),
  watchHead: onlyServices(["gateway"]),
};

/** Of no webhook that there is; whose are whose is told by the tests of analytics. */
const noWebhook = (ask: object = { id: "no-such-webhook" }): RpcRow => ({
  lets: [],
  refusal: "hidden",
  sees: scopedOnes(),
  ask: () => ask,
});

export const webhookRows: Readonly<Record<string, RpcRow>> = {
  createWebhook: closed(unscoped, () => ({ url: "https://receiver.example/hook" })),
  listWebhooks: closed(unscoped, () => ({})),
  getWebhook: noWebhook(),
  updateWebhook: noWebhook(),
  deleteWebhook: noWebhook(),
  rotateWebhookSecret: noWebhook(),
  testWebhook: noWebhook(),
  listDeliveries: noWebhook({ webhookId: "no-such-webhook" }),
  redeliver: noWebhook({ webhookId: "no-such-webhook", deliveryId: "no-such-delivery" }),
};
