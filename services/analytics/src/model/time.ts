export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Start of the hour, UTC. */
export function hourOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / hourMs) * hourMs);
}

/** Start of the day, UTC. */
export function dayOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / dayMs) * dayMs);
}

export function before(time: Date, ms: number): Date {
  return new Date(time.getTime() - ms);
}
