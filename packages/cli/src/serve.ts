import { join } from "node:path";
import {
  inspectSettings,
  otlpTarget,
  readEnvironment,
  type ServiceName,
  type SettingsRead,
  shownAddress,
  systemClock,
} from "@registry/kit";
import { planProcess } from "./plan.ts";
import { unknownRules } from "./policy-rules.ts";
import { type RegistryProcess, startRegistryProcess } from "./registry-process.ts";
import { type AllSettings, allSettings } from "./settings.ts";
import { letGo, stopWishes } from "./shutdown.ts";
import { tlsProblems } from "./tls.ts";

export interface ServeOptions {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  /** Settings file. */
  readonly env: string;
}

/** Reads every setting, from the command line first, then the environment, then the settings file. */
function readServeSettings(options: ServeOptions): SettingsRead<typeof allSettings> {
  const environment = readEnvironment(options.env, allSettings);
  const values = new Map(environment.values);
  if (options.host !== undefined) values.set("HOST", options.host);
  if (options.port !== undefined) values.set("PORT", options.port);
  const { settings, problems } = inspectSettings(allSettings, { ...environment, values });
  return { settings, problems: [...problems, ...unknownRules(settings), ...tlsProblems(settings, systemClock.now())] };
}

/** Runs the named services until it is told to stop. @returns the exit code */
export async function serve(names: readonly ServiceName[], options: ServeOptions): Promise<number> {
  const { settings, problems } = readServeSettings(options);
  const plan = planProcess(names, settings, problems);
  const { asked, now } = stopWishes();
  const starting = startRegistryProcess(plan, settings);
  const running = await Promise.race([starting, asked]);
  if (typeof running === "string") return giveUp(running, starting);
  process.stdout.write(`${describe(running, plan.hosted, settings)}\n`);
  const signal = await asked;
  process.stdout.write(`${signal}: ending work under way, then stopping\n`);
  await running.close(now);
  letGo();
  return 0;
}

/** Told to end while it starts, perhaps waiting for its stores: it serves nobody yet, and what it began bears any end. */
function giveUp(signal: NodeJS.Signals, starting: Promise<RegistryProcess>): number {
  process.stdout.write(`${signal}: stopping before everything has started\n`);
  starting.then(
    (running) => running.close(),
    () => undefined,
  );
  letGo();
  return 0;
}

function describe(running: RegistryProcess, hosted: readonly string[], settings: AllSettings): string {
  const stores = [
    settings.MONGODB_URL === undefined ? "embedded documents" : "MongoDB",
    settings.NATS_URL === undefined ? "embedded bus" : "NATS",
    settings.S3_ENDPOINT === undefined ? "package files" : "S3",
  ];
  const url = running.httpUrl;
  const traces = otlpTarget(settings)?.url;
  return [
    `AgentiCraft registry is ready (${hosted.length === 5 ? "all services" : hosted.join(", ")})`,
    ...(url === undefined ? [] : [`  HTTP     ${url}`]),
    `  gRPC     ${running.grpcAddress}${settings.GRPC_TLS_CERT_FILE === undefined ? "" : " (TLS, client certificates)"}`,
    ...(running.opsUrl === undefined ? [] : [`  health   ${running.opsUrl}/ready`]),
    `  data     ${settings.DATA_DIR} (${stores.join(", ")})`,
    ...(traces === undefined ? [] : [`  traces   ${shownAddress(traces)}`]),
    ...(running.newAdminTokenFile === undefined
      ? []
      : [`  token    ${running.newAdminTokenFile} (of the administrator, made just now; keep it safe)`]),
    ...(url === undefined ? [] : nextSteps(url, settings)),
  ].join("\n");
}

function nextSteps(url: string, settings: AllSettings): string[] {
  const token = settings.ADMIN_TOKEN_FILE ?? join(settings.DATA_DIR, "admin-token");
  return [
    "Try next:",
    `  curl ${url}/api/v1/plugins`,
    `  curl -H "Authorization: Bearer $(cat ${token})" -F package=@my-plugin.zip ${url}/api/v1/plugins`,
    `  open ${url}/docs`,
  ];
}
