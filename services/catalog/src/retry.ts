import { RegistryError } from "@registry/domain";

const attempts = 12;

/**
 * Runs a read-compare-write until nobody else wrote in between.
 * @param attempt answers undefined where another write came first
 * @throws `conflict` BUSY where that goes on
 */
export async function untilWritten<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < attempts; i++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new RegistryError("conflict", "BUSY", "Others are changing this plugin at the moment; try again", {
    retryAfterSeconds: 1,
  });
}
