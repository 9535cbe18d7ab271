export { anySignal } from "./any-signal.ts";
export * from "./clock.ts";
export { readEnvironment } from "./config/environment.ts";
export {
  type Environment,
  inspectSettings,
  type SettingProblem,
  type SettingsRead,
  settingsError,
} from "./config/read.ts";
export type { Setting, SettingGroup, SettingsOf } from "./config/setting.ts";
export * as setting from "./config/setting.ts";
export { Gate } from "./gate.ts";
export { ClientRules, type NameLists, ownNames, parseNameLists, rpcGroups } from "./grpc/client-rules.ts";
export { Clients } from "./grpc/clients.ts";
export { deadlineExceeded, toRegistryError } from "./grpc/errors.ts";
export { type CallMeta, Pipeline, untilAborted } from "./grpc/pipeline.ts";
export { type GrpcServer, startGrpcServer } from "./grpc/server.ts";
export * from "./grpc/table.ts";
export type { GrpcTls } from "./grpc/tls.ts";
export { tracedCalls } from "./grpc/traced.ts";
export { type AuthPort, Identity, type Resolved } from "./identity/identity.ts";
export { deriveKeys, ed25519FromSeed, type Keys } from "./identity/keys.ts";
export { issueTicket, ticketHolds, ticketSeconds } from "./identity/ticket.ts";
export {
  type InternalClaims,
  internalTokenSeconds,
  orgClaims,
  signInternalToken,
  verifyInternalToken,
} from "./identity/token.ts";
export {
  createLogger,
  GatheredLines,
  type Logger,
  type LogOutput,
  logLevels,
  openLogOutput,
} from "./log.ts";
export type { CacheFigures } from "./metrics/caches.ts";
export { exportReadiness } from "./metrics/checks.ts";
export { CountedElsewhere, type Reading } from "./metrics/counted-elsewhere.ts";
export { type EventGauges, outboxSample, Sampler } from "./metrics/events.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export { type OpsHttp, startOpsHttp } from "./ops-http.ts";
export { partsOf } from "./parts.ts";
export { Periodic } from "./periodic.ts";
export { isProcessAlive } from "./process-alive.ts";
export { Readiness, type ReadyState, sharedChecks } from "./readiness.ts";
export { passwordsIn, scrub } from "./scrub.ts";
export * from "./service.ts";
export { attribute, ownAttribute } from "./telemetry/attributes.ts";
export {
  activeTraceparent,
  inTrace,
  outsideTraces,
  parseTraceparent,
  type TraceContext,
} from "./telemetry/context.ts";
export { blobSpans, documentSpans, eventSpans } from "./telemetry/observers.ts";
export { openTracing } from "./telemetry/open.ts";
export { otlpSecrets, otlpTarget, shownAddress, telemetrySettings } from "./telemetry/settings.ts";
export { noTracing, type Span, type Tracing } from "./telemetry/tracing.ts";
export { readTlsFiles, TlsFileError, type TlsFiles, type TlsMaterial } from "./tls/files.ts";
export { WatchedTls } from "./tls/watched.ts";
