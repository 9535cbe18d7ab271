import { parsed, type Setting, type SettingGroup, type SettingsOf, secret, text, url } from "../config/setting.ts";

export const otlpProtocols = ["http/protobuf", "http/json", "grpc"] as const;
export type OtlpProtocol = (typeof otlpProtocols)[number];
export const samplers = [
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
  "always_on",
  "always_off",
  "traceidratio",
] as const;
const exporters = ["otlp", "none"] as const;

/**
 * `name=value,name=value` with percent-encoded values, as OpenTelemetry writes headers and resource attributes.
 * @throws Error that shows none of it
 */
export function readPairs(value: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const [index, item] of value.split(",").entries()) {
    if (item.trim() === "") continue;
    const at = item.indexOf("=");
    const name = item.slice(0, at).trim();
    try {
      if (at < 1 || !/^[!-~]+$/.test(name)) throw new Error();
      pairs.set(name, decodeURIComponent(item.slice(at + 1).trim()));
    } catch {
      throw new Error(`pair ${index + 1}: expected name=value,name=value with percent-encoded values`);
    }
  }
  return pairs;
}

/** The text of pairs, once it is known that they can be read. */
function readable(value: string, allowed: (name: string, value: string) => boolean, expects: string): string {
  for (const [name, each] of readPairs(value)) if (!allowed(name, each)) throw new Error(`expected ${expects}`);
  return value;
}

const isHeader = (name: string, value: string): boolean =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value);

const protocols = ["http:", "https:"];

function endpoint(description: string): Setting<string | undefined> {
  const setting = url<string | undefined>({
    description,
    fallback: undefined,
    shownDefault: "none: no traces",
    protocols,
  });
  const parse = (value: string): string | undefined => {
    const parsedUrl = new URL(setting.parse(value) ?? "");
    if (parsedUrl.username === "" && parsedUrl.password === "") return value;
    throw new Error("expected a URL without user and password; credentials belong in OTEL_EXPORTER_OTLP_HEADERS");
  };
  return { ...setting, parse };
}
const milliseconds = (description: string, fallback: number): Setting<number> =>
  parsed({
    description,
    fallback,
    parse: (value) => {
      const number = /^\d{1,6}$/.test(value) ? Number(value) : 0;
      if (number < 1) throw new Error("expected milliseconds from 1 to 999999");
      return number;
    },
  });

const headers = (description: string): Setting<string | undefined> => ({
  ...secret({ description, fallback: undefined }),
  parse: (value) => readable(value, isHeader, "HTTP headers: name=value,name=value"),
});

/** One of a few words, which the standard has mean the same in capital letters. */
function word<T extends string>(words: readonly T[], description: string, fallback: T): Setting<T> {
  const parse = (value: string): T => {
    const found = words.find((allowed) => allowed === value.toLowerCase());
    if (found === undefined) throw new Error(`expected one of ${words.join(", ")}`);
    return found;
  };
  return parsed({ description, fallback, parse });
}

/** For traces alone; it wins. */
function forTraces<T>(setting: Setting<T>, general: string): Setting<T | undefined> {
  const description = "The same for traces alone; it wins";
  return { ...setting, description, fallback: undefined, shownDefault: `as ${general}` };
}

const protocol = word<OtlpProtocol>(
  otlpProtocols,
  `How the collector is spoken to: ${otlpProtocols.join(", ")}`,
  "http/protobuf",
);
const timeout = milliseconds("Milliseconds that one export may take, retries included", 10_000);

/** OpenTelemetry's own settings, under its names and with its meaning; those that are not here are passed over. */
export const telemetrySettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint("OpenTelemetry collector that traces are sent to, under /v1/traces below it"),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint("The same as the whole address, path included; it wins"),
  OTEL_EXPORTER_OTLP_HEADERS: headers("Headers for the collector, e.g. api-key=…; percent-encoded"),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: headers("The same for traces alone; it wins"),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: forTraces(protocol, "OTEL_EXPORTER_OTLP_PROTOCOL"),
  OTEL_EXPORTER_OTLP_TIMEOUT: timeout,
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: forTraces(timeout, "OTEL_EXPORTER_OTLP_TIMEOUT"),
  OTEL_BSP_SCHEDULE_DELAY: milliseconds("Milliseconds between exports", 5000),
  OTEL_SERVICE_NAME: text<string | undefined>({
    description: "Name of this process in traces",
    fallback: undefined,
    shownDefault: "agenticraft-registry, with the service's name behind it where it runs alone",
    pattern: /^[^\p{Cc}]{1,255}$/u,
    expects: "1 to 255 characters on one line",
  }),
  OTEL_RESOURCE_ATTRIBUTES: parsed<string | undefined>({
    description: "What traces say of this process, e.g. deployment.environment.name=staging",
    fallback: undefined,
    shownDefault: "none",
    parse: (value) => readable(value, () => true, "attributes: name=value,name=value"),
  }),
  OTEL_TRACES_SAMPLER: word(samplers, `Which traces are recorded: ${samplers.join(", ")}`, "parentbased_always_on"),
  OTEL_TRACES_SAMPLER_ARG: parsed<number>({
    description: "Share of traces that the traceidratio samplers record, 0 to 1",
    fallback: 1,
    parse: (value) => {
      const share = /^(?:\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : Number.NaN;
      if (!(share >= 0 && share <= 1)) throw new Error("expected a number from 0 to 1");
      return share;
    },
  }),
  OTEL_TRACES_EXPORTER: word(exporters, "none: no traces, wherever they would go", "otlp"),
  OTEL_SDK_DISABLED: parsed<boolean>({
    description: "true: no traces",
    fallback: false,
    // The standard has any other word mean false.
    parse: (value) => value.toLowerCase() === "true",
  }),
} satisfies SettingGroup;

export type TelemetryConfig = SettingsOf<typeof telemetrySettings>;

/** Where traces go, and how. */
export interface OtlpTarget {
  /** Of gRPC no more than scheme, host and port count. */
  readonly url: string;
  readonly protocol: OtlpProtocol;
  readonly headers: ReadonlyMap<string, string>;
  readonly timeoutMs: number;
}

/** @returns undefined where no traces are made */
export function otlpTarget(config: TelemetryConfig): OtlpTarget | undefined {
  const protocol = config.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? config.OTEL_EXPORTER_OTLP_PROTOCOL;
  const url = tracesUrl(config, protocol);
  if (url === undefined) return undefined;
  return {
    url,
    protocol,
    headers: readPairs(config.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? config.OTEL_EXPORTER_OTLP_HEADERS ?? ""),
    timeoutMs: config.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? config.OTEL_EXPORTER_OTLP_TIMEOUT,
  };
}

function tracesUrl(config: TelemetryConfig, protocol: OtlpProtocol): string | undefined {
  if (config.OTEL_SDK_DISABLED || config.OTEL_TRACES_EXPORTER === "none") return undefined;
  if (config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined) return config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const base = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (base === undefined || protocol === "grpc") return base;
  const whole = new URL(base);
  whole.pathname = `${whole.pathname.replace(/\/$/, "")}/v1/traces`;
  return whole.href;
}

/** The address as it may be shown: some collectors take their key in the query. */
export function shownAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/^\/$/, "");
}

/** What the settings keep secret beside their whole text: each header's value, as it is sent, and each of a query. */
export function otlpSecrets(config: TelemetryConfig): string[] {
  const inHeaders = [config.OTEL_EXPORTER_OTLP_HEADERS, config.OTEL_EXPORTER_OTLP_TRACES_HEADERS]
    .flatMap((text) => [...readPairs(text ?? "").values()])
    .flatMap((value) => [value, value.replace(/^\w+ /, "")]);
  const inQueries = [config.OTEL_EXPORTER_OTLP_ENDPOINT, config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].flatMap((url) =>
    url === undefined ? [] : [...new URL(url).searchParams.values()],
  );
  return [...inHeaders, ...inQueries];
}
