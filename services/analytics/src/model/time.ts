export const sliceMs = 5 * 60_000;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const startOf = (time: Date, ms: number): Date => new Date(Math.floor(time.getTime() / ms) * ms);

/** Start of the five minutes, UTC. */
export function sliceOf(time: Date): Date {
  return startOf(time, sliceMs);
}

/** Start of the hour, UTC. */
export function hourOf(time: Date): Date {
  return startOf(time, hourMs);
}

/** Start of the day, UTC. */
export function dayOf(time: Date): Date {
  return startOf(time, dayMs);
}

/** `2026-01-31` */
export function dayText(time: Date): string {
  return time.toISOString().slice(0, 10);
}

export function before(time: Date, ms: number): Date {
  return new Date(time.getTime() - ms);
}
