import { expect, it } from "vitest";
import { inspectSettings } from "../config/read.ts";
import { otlpSecrets, otlpTarget, readPairs, shownAddress, telemetrySettings } from "./settings.ts";

const read = (values: Record<string, string>, fromFile: string[] = []) =>
  inspectSettings(telemetrySettings, { values: new Map(Object.entries(values)), fromFile: new Set(fromFile) });
const urlFor = (values: Record<string, string>) => otlpTarget(read(values).settings)?.url;

it("makes no traces unless it is said where they go", () => {
  const there = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
  expect(urlFor({})).toBeUndefined();
  expect(urlFor(there)).toBe("http://collector:4318/v1/traces");
  expect(urlFor({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://o/base/" })).toBe("https://o/base/v1/traces");
  const whole = { ...there, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://other/api/traces" };
  expect(urlFor(whole)).toBe("http://other/api/traces");
  for (const word of ["true", "TRUE"]) expect(urlFor({ ...there, OTEL_SDK_DISABLED: word })).toBeUndefined();
  expect(urlFor({ ...there, OTEL_SDK_DISABLED: "no" })).toBeDefined();
  expect(urlFor({ ...there, OTEL_TRACES_EXPORTER: "none" })).toBeUndefined();
});

it("tells of everything that is wrong at once, and nothing of what is secret", () => {
  const bad = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://user:hidden-word@collector",
    OTEL_EXPORTER_OTLP_HEADERS: "hidden-word",
    OTEL_EXPORTER_OTLP_PROTOCOL: "udp",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http",
    OTEL_EXPORTER_OTLP_TIMEOUT: "10s",
    OTEL_RESOURCE_ATTRIBUTES: "team=%zz",
    OTEL_TRACES_SAMPLER: "sometimes",
    OTEL_TRACES_SAMPLER_ARG: "2",
    OTEL_TRACES_EXPORTER: "zipkin",
  };
  const { problems } = read(bad);
  expect(problems.map(({ pointer }) => pointer)).toEqual(Object.keys(bad));
  expect(problems.find(({ pointer }) => pointer.endsWith("PROTOCOL"))?.reason).toContain(
    "http/protobuf, http/json, grpc",
  );
  expect(JSON.stringify(problems)).not.toContain("hidden-word");
});

it("takes what is said of traces alone before what is said of all, and words in capital letters", () => {
  const general = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=for-all",
    OTEL_EXPORTER_OTLP_PROTOCOL: "HTTP/JSON",
    OTEL_EXPORTER_OTLP_TIMEOUT: "700",
    OTEL_TRACES_EXPORTER: "OTLP",
  };
  const all = { protocol: "http/json", headers: new Map([["api-key", "for-all"]]), timeoutMs: 700 };
  expect(otlpTarget(read(general).settings)).toEqual({ url: "http://collector:4318/v1/traces", ...all });
  const special = {
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "api-key=of-traces",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "800",
  };
  const { settings, problems } = read({ ...general, ...special });
  expect(problems).toEqual([]);
  // Of gRPC the path is in the call.
  const mine = { url: "http://collector:4318/", protocol: "grpc", timeoutMs: 800 };
  expect(otlpTarget(settings)).toEqual({ ...mine, headers: new Map([["api-key", "of-traces"]]) });
  expect(otlpSecrets(settings)).toEqual(expect.arrayContaining(["for-all", "of-traces"]));
});

it("shows no query of the collector's address, which some take their key in", () => {
  const url = "https://collector.example.com/v1/traces?api_key=hidden%20word";
  expect(shownAddress(url)).toBe("https://collector.example.com/v1/traces");
  expect(shownAddress("http://127.0.0.1:4317/")).toBe("http://127.0.0.1:4317");
  expect(otlpSecrets(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }).settings)).toEqual(["hidden word"]);
});

it("lets the standard's other settings be, wherever they stand", () => {
  const others = { OTEL_PROPAGATORS: "b3", OTEL_METRICS_EXPORTER: "prometheus", OTEL_PYTHON_LOG_LEVEL: "info" };
  expect(read(others, Object.keys(others)).problems).toEqual([]);
});

it("reads headers as they are written, and keeps each of them secret", () => {
  const headers = "api-key=long%20secret%2Cone, authorization=Bearer%20another-secret";
  expect([...readPairs(headers)]).toEqual([
    ["api-key", "long secret,one"],
    ["authorization", "Bearer another-secret"],
  ]);
  const secrets = otlpSecrets(read({ OTEL_EXPORTER_OTLP_HEADERS: headers }).settings);
  expect(secrets).toEqual(expect.arrayContaining(["long secret,one", "another-secret"]));
  for (const broken of ["a b=c", "a=%0d%0ainjected", "=x", "a"]) {
    expect(read({ OTEL_EXPORTER_OTLP_HEADERS: broken }).problems).toHaveLength(1);
  }
});
