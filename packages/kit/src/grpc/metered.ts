import { isRegistryError } from "@registry/domain";
import type { RpcMetrics } from "../metrics/rpc.ts";
import { codeOf } from "./errors.ts";
import type { ServiceDefinition } from "./table.ts";
import { methodOf, type Transport } from "./transport.ts";

/** The same calls, measured. */
export function metered(definition: ServiceDefinition, transport: Transport, metrics: RpcMetrics): Transport {
  const begin = (method: string) => metrics.begin(definition.fullName, methodOf(definition, method).name);
  return {
    async unary(method, request, meta) {
      const end = begin(method);
      try {
        const answer = await transport.unary(method, request, meta);
        end("OK");
        return answer;
      } catch (error) {
        end(codeIn(error));
        throw error;
      }
    },
    async *stream(method, request, meta) {
      const end = begin(method);
      try {
        yield* transport.stream(method, request, meta);
        end("OK");
      } catch (error) {
        end(codeIn(error));
        throw error;
      } finally {
        // Whoever reads no further has given the call up.
        end("CANCELLED");
      }
    },
    close: () => transport.close(),
  };
}

function codeIn(error: unknown): string {
  return isRegistryError(error) ? codeOf(error.kind) : "UNKNOWN";
}
