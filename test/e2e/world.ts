import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { stopServers } from "../servers/index.ts";
import { printLogsOnFailure, type Stack, type StackKind, type StackOptions, startStack } from "../stack/index.ts";
import { Actor } from "./actors.ts";

export const password = "a long enough password";
/** Rights, states and cached answers are true on every replica within this time. */
export const withinMs = 5000;
/** Downloads and searches are counted, and totals shown, within this time. */
export const countedWithinMs = 20_000;

/** Ten processes and three servers start and stop within this time on two busy cores. */
const hookWithin = 240_000;

/** One running registry and the people who use it. */
export interface World {
  readonly kind: StackKind;
  /** Throws before `beforeAll` has run. */
  readonly stack: Stack;
  readonly admin: Actor;
  readonly anonymous: Actor;
  /** A new user who may publish. */
  publisher(stem?: string): Promise<Actor>;
  /** A new user who may read. */
  user(stem?: string): Promise<Actor>;
  /** A plugin name, or a user name, that nobody has taken. */
  name(stem: string): string;
  /** The same actor at the other gateway, where there is one. */
  elsewhere(actor: Actor): Actor;
  /**
   * Checks at once where one gateway serves everybody, else as often as needed until the change must have come through:
   * for what another replica than the one that made the change says.
   */
  soon(check: () => Promise<void>): Promise<void>;
}

/** Starts a registry before the tests of the calling file or group and stops it afterwards. */
export function createWorld(
  kind: StackKind,
  settings: Record<string, string> = {},
  options: Omit<StackOptions, "settings"> = {},
): World {
  let running: Stack | undefined;
  beforeAll(async () => {
    running = await startStack(kind, {
      ...options,
      settings: { RATE_LIMIT_LOGINS: "0", RATE_LIMIT_FAILED_CREDENTIALS: "0", ...settings },
    });
  }, hookWithin);
  afterAll(stopServers, hookWithin);
  printLogsOnFailure(() => running);
  const stack = (): Stack => {
    if (running === undefined) throw new Error("the registry is not started yet");
    return running;
  };
  let made = 0;
  const nextGateway = (): string => gatewayAt(stack(), made++);
  return {
    kind,
    get stack() {
      return stack();
    },
    get admin() {
      return new Actor("admin", gatewayAt(stack(), 0), stack().adminToken);
    },
    get anonymous() {
      return new Actor("", gatewayAt(stack(), 0));
    },
    publisher: (stem = "publisher") => createUser(stack(), nextGateway(), stem, "publisher"),
    user: (stem = "user") => createUser(stack(), nextGateway(), stem, "user"),
    name: uniqueName,
    elsewhere: (actor) => actor.at(stack().baseUrls.find((url) => url !== actor.gateway) ?? actor.gateway),
    soon: (check) => (stack().baseUrls.length === 1 ? check() : vi.waitFor(check, { timeout: withinMs, interval: 50 })),
  };
}

function gatewayAt({ baseUrls }: Stack, index: number): string {
  return baseUrls[index % baseUrls.length] ?? "";
}

/** Letters only, none of which look alike: names whose letters look alike are refused beside each other. */
function uniqueName(stem: string): string {
  const letters = Array.from(randomBytes(6), (byte) => "abcdefghkt"[byte % 10]);
  return `${stem}-${letters.join("")}`;
}

async function createUser(stack: Stack, gateway: string, stem: string, role: string): Promise<Actor> {
  const username = uniqueName(stem);
  const admin = new Actor("admin", gateway, stack.adminToken);
  expect((await admin.createsUser({ username, password, role })).status).toBe(201);
  const { token } = (await admin.logsIn(username, password)).json<{ token: string }>();
  return new Actor(username, gateway, token);
}
