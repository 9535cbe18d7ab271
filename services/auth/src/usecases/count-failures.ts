import { isRegistryError } from "@registry/domain";
import type { Parts } from "../parts.ts";

/**
 * Looks at a credential, and counts it for the address if it does not hold.
 * @throws kind `rate_limited` instead of `unauthenticated`, where too many did not
 */
export async function countingFailures<T>(
  parts: Parts,
  address: string | undefined,
  look: () => Promise<T>,
): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (isRegistryError(error) && error.kind === "unauthenticated") await parts.quotas.failed("credential", address);
    throw error;
  }
}
