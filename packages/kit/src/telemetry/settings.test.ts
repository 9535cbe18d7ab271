import { expect, it } from "vitest";
import { inspectSettings } from "../config/read.ts";
import { headerSecrets, readPairs, telemetrySettings, tracesUrl } from "./settings.ts";

const read = (values: Record<string, string>, fromFile: string[] = []) =>
  inspectSettings(telemetrySettings, { values: new Map(Object.entries(values)), fromFile: new Set(fromFile) });
const urlFor = (values: Record<string, string>) => tracesUrl(read(values).settings);

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
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_TIMEOUT: "10s",
    OTEL_RESOURCE_ATTRIBUTES: "team=%zz",
    OTEL_TRACES_SAMPLER: "sometimes",
    OTEL_TRACES_SAMPLER_ARG: "2",
    OTEL_TRACES_EXPORTER: "zipkin",
  };
  const { problems } = read(bad);
  expect(problems.map(({ pointer }) => pointer)).toEqual(Object.keys(bad));
  expect(problems.find(({ pointer }) => pointer.endsWith("PROTOCOL"))?.reason).toContain("http/protobuf, http/json");
  expect(JSON.stringify(problems)).not.toContain("hidden-word");
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
  const secrets = headerSecrets(read({ OTEL_EXPORTER_OTLP_HEADERS: headers }).settings);
  expect(secrets).toEqual(expect.arrayContaining(["long secret,one", "another-secret"]));
  for (const broken of ["a b=c", "a=%0d%0ainjected", "=x", "a"]) {
    expect(read({ OTEL_EXPORTER_OTLP_HEADERS: broken }).problems).toHaveLength(1);
  }
});
