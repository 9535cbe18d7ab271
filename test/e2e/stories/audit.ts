import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { inherited } from "../../servers/environment.ts";
import { expectProblem } from "../shapes.ts";
import { type World, withinMs } from "../world.ts";

const program = join(import.meta.dirname, "..", "..", "..", "packages", "cli", "src", "main.ts");

const patience = { timeout: withinMs, interval: 50 };

interface Row {
  readonly action: string;
}

export function auditStories(world: World): void {
  const rowsOf = async (target: string): Promise<Row[]> => {
    const answer = await world.admin.gets(`/api/v1/audit?target=${encodeURIComponent(target)}`);
    expect(answer.status).toBe(200);
    return answer.json<{ entries: Row[] }>().entries;
  };
  /** Normally they are there with the answer; a busy log may be a moment behind. */
  const tells = (target: string, rows: readonly object[]): Promise<void> =>
    vi.waitFor(async () => expect(await rowsOf(target)).toMatchObject(rows), patience);

  describe("the audit log", () => {
    it("tells who changed what, from where, and what was before and after", async () => {
      const [publisher, name] = [await world.publisher(), world.name("trail")];
      expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
      expect((await publisher.yanks(name, "1.0.0", "Broken")).status).toBe(200);
      expect((await world.admin.updates(name, { verified: true, visibility: "internal" })).status).toBe(200);
      expect((await world.admin.changesUser(publisher.username, { role: "user" })).status).toBe(200);

      const who = {
        actor_type: "user",
        actor: publisher.username,
        result: "ok",
        via: "gateway",
        token_id: expect.stringMatching(/^login:/),
        address: "127.0.0.1",
      };
      await tells(`${name}@1.0.0`, [
        {
          ...who,
          action: "release.yank",
          before: { state: "published" },
          after: { state: "yanked", reason: "Broken" },
        },
        { ...who, action: "release.publish", before: null, after: { state: "published", visibility: "public" } },
      ]);
      await tells(name, [
        {
          action: "plugin.update",
          actor: "admin",
          before: { visibility: "public", verified: false },
          after: { visibility: "internal", verified: true },
        },
      ]);
      const created = { action: "user.create", actor: "admin", before: null, after: { role: "publisher" } };
      const updated = { action: "user.update", before: { role: "publisher" }, after: { role: "user" } };
      await vi.waitFor(async () => {
        const rows = (await rowsOf(publisher.username)).filter(({ action }) =>
          /^user\.(?:create|update)$/.test(action),
        );
        expect(rows).toMatchObject([updated, created]);
      }, patience);
    });

    it("tells of what was refused, and not of what changed nothing", async () => {
      const [user, publisher, name] = [await world.user(), await world.publisher(), world.name("quiet")];
      expectProblem(
        await user.createsUser({ username: name, password: "a long one", role: "admin" }),
        403,
        "PERMISSION_DENIED",
      );
      await tells(name, [
        { action: "user.create", actor: user.username, result: "denied", reason: "PERMISSION_DENIED" },
      ]);
      const bytes = pluginZip({ name });
      expect((await publisher.tries(bytes)).status).toBe(200);
      expect((await publisher.publishes(bytes)).status).toBe(201);
      expect((await publisher.publishes(bytes)).status).toBe(200);
      expectProblem(await publisher.yanks(name, "9.0.0"), 404, "VERSION_NOT_FOUND");
      await tells(`${name}@1.0.0`, [{ action: "release.publish" }]);
      expect(await rowsOf(`${name}@9.0.0`)).toEqual([]);
    });

    it("is for administrators, and shows nobody else that there is anything", async () => {
      const user = await world.publisher();
      expectProblem(await user.gets("/api/v1/audit"), 403, "PERMISSION_DENIED");
      expectProblem(await user.gets("/api/v1/audit?organisation=acme"), 404, "ORGANISATION_NOT_FOUND");
      expectProblem(await user.gets("/api/v1/audit/head"), 403, "PERMISSION_DENIED");
      expectProblem(await world.anonymous.gets("/api/v1/audit"), 401, "INVALID_CREDENTIAL");
      expectProblem(await world.admin.gets("/api/v1/audit?since=yesterday"), 400, "INVALID_QUERY");
      const page = await world.admin.gets("/api/v1/audit?limit=1&action=user.*&since=2020-01-01T00:00:00%2B02:00");
      expect(page.json()).toMatchObject({ entries: [{ result: expect.any(String) }], next_cursor: expect.any(String) });
    });

    it("can be shown to be whole", async () => {
      const head = (await world.admin.gets("/api/v1/audit/head")).json<{ sequence: number; public_key: string }>();
      expect(head.sequence).toBeGreaterThan(0);
      expect(head.public_key).toContain("BEGIN PUBLIC KEY");
      const { code, out, err } = await verify(world);
      expect([code, err]).toEqual([0, ""]);
      expect(JSON.parse(out)).toMatchObject({ result: "ok", problems: [] });
      expect(JSON.parse(out).rows).toBeGreaterThanOrEqual(head.sequence);
    });
  });
}

/** As the operator of this registry does. */
async function verify({ stack }: World): Promise<{ code: number | null; out: string; err: string }> {
  const { PATH, HOME, TMPDIR } = inherited();
  const [name = ""] = stack.names;
  const place = { DATA_DIR: join(stack.folder, `data-${name}`), AUTH_ADDR: stack.grpc.auth[0] ?? "" };
  const child = spawn(process.execPath, [program, "audit", "verify", "--json"], {
    cwd: stack.folder,
    env: { PATH, HOME, TMPDIR, ...stack.settings, ...place },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 50_000,
  });
  const [out, err] = [child.stdout, child.stderr].map(async (stream) => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts).toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out: (await out) ?? "", err: (await err) ?? "" };
}
