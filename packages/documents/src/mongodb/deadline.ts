import { unavailable } from "@registry/domain";

/**
 * The driver bounds the steps of a call (choosing a server, connecting, waiting for a connection), but not a call.
 * What is late goes on unseen: a write may still be made, as after any timeout.
 * @throws RegistryError kind `unavailable` after that many milliseconds
 */
export async function within<R>(timeoutMs: number, work: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable("the document store")), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
