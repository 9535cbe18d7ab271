import { lookup, Resolver } from "node:dns/promises";
import { unavailable } from "@registry/domain";
import { Gate } from "@registry/kit";

/** Finds the addresses of a name; none where it has none. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

const perTryMs = 3000;
/** Of the few threads that the process has for files as well. */
const localAtOnce = 2;
const mostWaiting = 1000;

/**
 * Asks DNS directly: whoever makes webhooks chooses the name server, and a slow one must not take the threads that the
 * system's own resolver would need.
 * @param local also asks the system, which knows names of this machine and network (its hosts file, search domains)
 */
export function systemResolve(local: boolean): Resolve {
  const gate = new Gate(localAtOnce, mostWaiting, () => unavailable("The resolver"));
  return async (host, signal) => {
    const found = await askDns(host, signal);
    if (found.length > 0 || !local) return found;
    return gate.run(signal, async () => {
      const entries = await lookup(host, { all: true }).catch(() => []);
      return entries.map(({ address }) => address);
    });
  };
}

async function askDns(host: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver({ timeout: perTryMs, tries: 2 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const none = (): string[] => [];
    const both = await Promise.all([resolver.resolve4(host).catch(none), resolver.resolve6(host).catch(none)]);
    signal.throwIfAborted();
    return both.flat();
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
