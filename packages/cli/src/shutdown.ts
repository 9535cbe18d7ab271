import { setTimeout as pause } from "node:timers/promises";
import type { GrpcServer, Readiness, Service } from "@registry/kit";
import type { AllSettings } from "./settings.ts";

/** Work under way may take so long to end. */
export const graceMs = 25_000;
/** Longer than a balancer, or a client's round robin, takes to look elsewhere. */
const usualDelayMs = 3000;
/** A terminal and the programs in between pass on the same Ctrl-C; what comes later is another wish. */
const sameWishMs = 1000;
/** For what a driver leaves open, out of reach: a connection, say, that a hanging server has taken and not greeted. */
const lingerMs = 1000;

export interface Draining {
  readonly readiness: Readiness;
  readonly delayMs: number;
  readonly grpc: GrpcServer;
  readonly gateway: Service | undefined;
}

/** With embedded stores there is no second replica that could take over, so there is nothing to wait for. */
export function drainDelayMs({ SHUTDOWN_DELAY_SECONDS: seconds, MONGODB_URL }: AllSettings): number {
  if (seconds !== undefined) return seconds * 1000;
  return MONGODB_URL === undefined ? 0 : usualDelayMs;
}

/**
 * Says that the process is not ready while it goes on serving for a moment, then takes nothing new and ends what is under
 * way.
 * @param now ends that moment
 */
export async function drain({ readiness, delayMs, grpc, gateway }: Draining, now: AbortSignal): Promise<void> {
  readiness.end();
  await pause(delayMs, undefined, { signal: now }).catch(() => undefined);
  await Promise.all([gateway?.close(), grpc.close(graceMs)]);
}

export interface StopWishes {
  /** The first signal that asks the process to end. */
  readonly asked: Promise<NodeJS.Signals>;
  /** Aborted where nothing is to be waited for: Ctrl-C, and the second signal. */
  readonly now: AbortSignal;
}

/**
 * Listens to SIGTERM and SIGINT from now on. One that comes when nothing is waited for any more but work under way ends the
 * process at once.
 */
export function stopWishes(): StopWishes {
  const hurry = new AbortController();
  const asked = Promise.withResolvers<NodeJS.Signals>();
  let wished = false;
  let hurriedAt = 0;
  const wish = (signal: NodeJS.Signals): void => {
    if (hurry.signal.aborted) {
      if (performance.now() - hurriedAt >= sameWishMs) process.exit(signal === "SIGINT" ? 130 : 143);
      return;
    }
    if (wished || signal === "SIGINT") {
      hurriedAt = performance.now();
      hurry.abort();
    }
    wished = true;
    asked.resolve(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, wish);
  return { asked: asked.promise, now: hurry.signal };
}

/** Everything is closed that will be: whatever still holds the process holds it a moment longer and no more. */
export function letGo(): void {
  setTimeout(() => process.exit(), lingerMs).unref();
}
