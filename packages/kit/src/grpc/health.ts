import { ServerError, type ServiceImplementation, Status } from "nice-grpc";
import type { HealthDefinition } from "nice-grpc-server-health";
import { anySignal } from "../any-signal.ts";

/** @returns whether it may be sent work; undefined where there is no such service. Empty: the whole process */
export type Serves = (service: string) => Promise<boolean | undefined>;

/** How often a watched service is looked at. */
const lookEveryMs = 500;
/** `grpc.health.v1.HealthCheckResponse.ServingStatus` */
const serving = 1;
const notServing = 2;
const serviceUnknown = 3;

/**
 * The health service of gRPC.
 * @param ending ends what is watched, having told that nothing is served any more
 */
export function healthService(serves: Serves, ending: AbortSignal): ServiceImplementation<typeof HealthDefinition> {
  return {
    async check({ service }) {
      const holds = await serves(service);
      if (holds === undefined) throw new ServerError(Status.NOT_FOUND, "No such service in this process");
      return { status: holds && !ending.aborted ? serving : notServing };
    },
    async *watch({ service }, { signal }) {
      const end = anySignal(signal, ending);
      let told: number | undefined;
      while (!signal.aborted) {
        const holds = await serves(service);
        const status = holds === undefined ? serviceUnknown : holds && !ending.aborted ? serving : notServing;
        if (status !== told) yield { status };
        told = status;
        if (end.aborted) return;
        await pause(lookEveryMs, end);
      }
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
