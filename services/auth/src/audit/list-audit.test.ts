import type { ListAuditRequest } from "@registry/contracts/audit";
import { anonymous, type Caller } from "@registry/domain";
import { userCaller } from "@registry/kit/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuditReplica, AuditWorld, admin, catalog, operator, told } from "../testing/audit.ts";
import { failure } from "../testing/harness.ts";

let world: AuditWorld;
let replica: AuditReplica;
const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 31, 8, minute));

beforeAll(async () => {
  world = await AuditWorld.open();
  replica = await world.replica();
  await replica.record(
    told("publish", { time: at(1) }),
    told("yank", { time: at(2), action: "release.yank", actor: "stefan" }),
    told("update", { time: at(3), action: "plugin.update", target: "pump", organisation: "acme" }),
    told("denied", { time: at(4), action: "release.delete", result: "denied", organisation: "acme", actor: "eve" }),
    told("user", { time: at(5), action: "user.update", target: "rita", actor: "ada" }),
    told("other-org", { time: at(6), action: "plugin.update", target: "@other/x", organisation: "other" }),
    // Was under way for a long time.
    told("late", { time: at(0), action: "storage.collect", target: "", actor: "ada" }),
    told("like", { time: at(7), action: "releases.publish" }),
  );
});
afterAll(() => world.close());

async function list(filter: Partial<ListAuditRequest>, caller: Caller = admin): Promise<string[]> {
  return (await replica.audit.listAudit(filter, replica.as(caller))).entries.map(({ id }) => id);
}

const member = (role: "owner" | "maintainer", scopes?: readonly string[]): Caller => ({
  ...(userCaller("olga", "user", 11) as Extract<Caller, { type: "user" }>),
  memberships: [{ org: "acme", role, teams: {} }],
  scopes,
});

describe("a list of changes", () => {
  it("has the newest first", async () => {
    expect(await list({})).toEqual(["like", "other-org", "user", "denied", "update", "yank", "publish", "late"]);
  });

  it.each([
    [{ actor: "ada" }, ["user", "late"]],
    [{ action: "release.yank" }, ["yank"]],
    [{ action: "release.*" }, ["denied", "yank", "publish"]],
    [{ target: "pump" }, ["update"]],
    [{ organisation: "acme" }, ["denied", "update"]],
    [{ result: "denied" }, ["denied"]],
    [{ since: at(5) }, ["like", "other-org", "user"]],
    [{ until: at(2) }, ["publish", "late"]],
    [{ since: at(2), until: at(4), action: "release.*" }, ["yank"]],
    [{ actor: "olga", action: "plugin.update", organisation: "acme" }, ["update"]],
    [{ actor: "nobody" }, []],
  ])("takes %j", async (filter, expected) => {
    expect(await list(filter)).toEqual(expected);
  });

  it("comes in pages that miss nothing and repeat nothing, also of one moment", async () => {
    const crowd = await AuditWorld.open();
    try {
      const one = await crowd.replica();
      await one.record(...Array.from({ length: 30 }, (_, i) => told(`row-${i}`, { time: at(Math.floor(i / 10)) })));
      for (const size of [1, 4, 7, 30]) {
        const seen: string[] = [];
        let pageToken = "";
        do {
          const page = { pageSize: size, pageToken };
          const answer = await one.audit.listAudit({ page, action: "release.*" }, one.as(admin));
          seen.push(...answer.entries.map(({ id }) => id));
          pageToken = answer.nextPageToken;
        } while (pageToken !== "");
        expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => `row-${29 - i}`));
      }
    } finally {
      await crowd.close();
    }
  });

  it("is refused where it makes no sense", async () => {
    const reason = async (filter: Partial<ListAuditRequest>) =>
      (await failure(replica.audit.listAudit(filter, replica.as(admin)))).reason;
    expect(await reason({ page: { pageSize: 501, pageToken: "" } })).toBe("INVALID_PAGE_SIZE");
    for (const pageToken of ["x", "1", "1-", "-1", "1-2-3", "9999999999999999-1"]) {
      expect(await reason({ page: { pageSize: 1, pageToken } })).toBe("INVALID_PAGE_TOKEN");
    }
    for (const action of ["*", ".*", "release.*.*", "re*", "Release.*"])
      expect(await reason({ action })).toBe("INVALID_ACTION");
  });
});

describe("who may list them", () => {
  const kind = async (caller: Caller, organisation = ""): Promise<string> => {
    const error = await failure(replica.audit.listAudit({ organisation }, replica.as(caller)));
    return `${error.kind} ${error.reason}`;
  };

  it("is an organisation's owner, for what concerns it", async () => {
    expect(await list({ organisation: "acme" }, member("owner"))).toEqual(["denied", "update"]);
    expect(await list({ organisation: "acme", actor: "eve" }, member("owner"))).toEqual(["denied"]);
    expect(await kind(member("owner"))).toBe("permission_denied PERMISSION_DENIED");
  });

  it("is nobody else of it, and no token for one purpose", async () => {
    expect(await kind(member("maintainer"), "acme")).toBe("permission_denied PERMISSION_DENIED");
    expect(await kind(member("owner", ["read"]), "acme")).toBe("permission_denied PERMISSION_DENIED");
  });

  it("is nobody of another organisation, which is as if it were not there", async () => {
    const of = await kind(member("owner"), "other");
    expect(of).toBe("not_found ORGANISATION_NOT_FOUND");
    expect(await kind(member("owner"), "nowhere")).toBe(of);
    expect(await kind(userCaller("rita", "user", 13), "acme")).toBe(of);
  });

  it("is an administrator with all rights, no service, and nobody without a credential", async () => {
    const scoped = { ...(admin as Extract<Caller, { type: "user" }>), scopes: ["read"] };
    expect(await kind(scoped)).toBe("permission_denied PERMISSION_DENIED");
    expect(await kind(operator)).toBe("permission_denied PERMISSION_DENIED");
    expect(await kind(catalog)).toBe("permission_denied PERMISSION_DENIED");
    expect(await kind(anonymous)).toBe("unauthenticated INVALID_CREDENTIAL");
  });
});

describe("an export", () => {
  it("is for administrators and the operator alone", async () => {
    const first = async (caller: Caller): Promise<unknown> => {
      for await (const { entries } of replica.audit.exportAudit({}, replica.as(caller))) return entries.length;
      return 0;
    };
    expect(await first(admin)).toBe(8);
    expect(await first(operator)).toBe(8);
    expect((await failure(first(member("owner")))).kind).toBe("permission_denied");
    expect((await failure(first(catalog))).kind).toBe("permission_denied");
  });
});
