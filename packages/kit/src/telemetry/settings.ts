import {
  oneOf,
  parsed,
  type Setting,
  type SettingGroup,
  type SettingsOf,
  secret,
  text,
  url,
} from "../config/setting.ts";

export const otlpProtocols = ["http/protobuf", "http/json"] as const;
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

/** OpenTelemetry's own settings, under its names and with its meaning; those that are not here are passed over. */
export const telemetrySettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint("OpenTelemetry collector that traces are sent to, under /v1/traces below it"),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint("The same as the whole address, path included; it wins"),
  OTEL_EXPORTER_OTLP_HEADERS: {
    ...secret({ description: "Headers for the collector, e.g. api-key=…; percent-encoded", fallback: undefined }),
    parse: (value) => readable(value, isHeader, "HTTP headers: name=value,name=value"),
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf<(typeof otlpProtocols)[number]>(otlpProtocols, {
    description: `${otlpProtocols.join(" or ")}; gRPC is not spoken`,
    fallback: "http/protobuf",
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: milliseconds("Milliseconds that one export may take, retries included", 10_000),
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
  OTEL_TRACES_SAMPLER: oneOf<(typeof samplers)[number]>(samplers, {
    description: `Which traces are recorded: ${samplers.join(", ")}`,
    fallback: "parentbased_always_on",
  }),
  OTEL_TRACES_SAMPLER_ARG: parsed<number>({
    description: "Share of traces that the traceidratio samplers record, 0 to 1",
    fallback: 1,
    parse: (value) => {
      const share = /^(?:\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : Number.NaN;
      if (!(share >= 0 && share <= 1)) throw new Error("expected a number from 0 to 1");
      return share;
    },
  }),
  OTEL_TRACES_EXPORTER: oneOf<(typeof exporters)[number]>(exporters, {
    description: "none: no traces, wherever they would go",
    fallback: "otlp",
  }),
  OTEL_SDK_DISABLED: parsed<boolean>({
    description: "true: no traces",
    fallback: false,
    // The standard has any other word mean false.
    parse: (value) => value.toLowerCase() === "true",
  }),
} satisfies SettingGroup;

export type TelemetryConfig = SettingsOf<typeof telemetrySettings>;

/** Where traces go; undefined where none are made. */
export function tracesUrl(config: TelemetryConfig): string | undefined {
  if (config.OTEL_SDK_DISABLED || config.OTEL_TRACES_EXPORTER === "none") return undefined;
  if (config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined) return config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const base = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (base === undefined) return undefined;
  const whole = new URL(base);
  whole.pathname = `${whole.pathname.replace(/\/$/, "")}/v1/traces`;
  return whole.href;
}

/** What the headers' text keeps secret: each value, as it is sent. */
export function headerSecrets({ OTEL_EXPORTER_OTLP_HEADERS: headers }: TelemetryConfig): string[] {
  return headers === undefined
    ? []
    : [...readPairs(headers).values()].flatMap((value) => [value, value.replace(/^\w+ /, "")]);
}
