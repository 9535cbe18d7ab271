import { setTimeout as pause } from "node:timers/promises";
import { ask, jsonOf } from "./client.ts";
import { anyGateway, type Setting } from "./setting.ts";

/** A revoked credential is dead everywhere within this time. */
const deadWithinMs = 5000;

/** Makes a token, has it revoked, and tries it at every gateway when it must be dead. */
export async function useRevoked(setting: Setting, signal: AbortSignal): Promise<void> {
  const { token, tally, gateways, journal } = setting;
  const begunAt = performance.now();
  const made = await make(setting);
  if (made === undefined) return tally.add("credential", begunAt, false);
  setting.secrets.push(made.secret);
  const revoked = await ask("DELETE", `${anyGateway(setting)}/api/v1/tokens/${made.id}`, { token }).catch(
    () => undefined,
  );
  const since = new Date().toISOString();
  const fine = revoked !== undefined && revoked.status < 300;
  tally.add("credential", begunAt, fine);
  if (!fine) return;
  await pause(deadWithinMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  for (const gateway of gateways) {
    const used = await ask("GET", `${gateway}/api/v1/auth/me`, { token: made.secret }).catch(() => undefined);
    journal.add({ type: "use", revoked: since, status: used?.status ?? null });
  }
}

async function make(setting: Setting): Promise<{ readonly id: string; readonly secret: string } | undefined> {
  const body = JSON.stringify({ name: "for a campaign", scopes: [] });
  const asked = { token: setting.token, body, type: "application/json" };
  const reply = await ask("POST", `${anyGateway(setting)}/api/v1/tokens`, asked).catch(() => undefined);
  return reply !== undefined && reply.status < 300 ? jsonOf(reply) : undefined;
}
