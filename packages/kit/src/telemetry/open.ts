import type { Logger } from "../log.ts";
import { otlpTarget, type TelemetryConfig } from "./settings.ts";
import { noTracing, type Tracing } from "./tracing.ts";

export interface TracingDeps {
  readonly log: Logger;
  /** `agenticraft-registry`, or with the service's name behind it. */
  readonly serviceName: string;
  /** Of the program. */
  readonly version: string;
  /** Unique to this process. */
  readonly instance: string;
  /** Values that leave the process in no span: those of the settings. */
  readonly secrets: readonly string[];
}

/** Spans go where the settings say; where they say nothing there are none, and nothing of OpenTelemetry is loaded. */
export async function openTracing(config: TelemetryConfig, deps: TracingDeps): Promise<Tracing> {
  const target = otlpTarget(config);
  if (target === undefined) return noTracing;
  const { startTracing } = await import("./otel/start.ts");
  return startTracing(target, config, deps);
}
