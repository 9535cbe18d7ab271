import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readEnvironment } from "./environment.ts";
import { inspectSettings, settingsError } from "./read.ts";
import { bytes, flag, integer, list, secret, text, url } from "./setting.ts";

const group = {
  PORT: integer({ description: "", fallback: 8080, min: 0, max: 65535 }),
  S3_BUCKET: text({ description: "", fallback: "plugins", pattern: /^[a-z]+$/, expects: "small letters" }),
  LIMIT_BODY_BYTES: bytes({ description: "", fallback: 10 }),
  ANONYMOUS_READ: flag({ description: "", fallback: true }),
  CORS_ORIGINS: list({ description: "", fallback: [] }),
  NATS_URL: url<string | undefined>({ description: "", fallback: undefined, protocols: ["nats:"] }),
  SECRET_KEY: secret({ description: "", fallback: undefined, minLength: 8 }),
};

const readSettings = (read: typeof group, environment: Parameters<typeof inspectSettings>[1]) => {
  const { settings, problems } = inspectSettings(read, environment);
  if (problems.length > 0) throw settingsError(problems);
  return settings;
};
const from = (values: Record<string, string>, fromFile: string[] = []) => ({
  values: new Map(Object.entries(values)),
  fromFile: new Set(fromFile),
});

it("reads typed values and falls back to the defaults", () => {
  expect(readSettings(group, from({}))).toMatchObject({ PORT: 8080, NATS_URL: undefined, ANONYMOUS_READ: true });
  const given = { PORT: "0", LIMIT_BODY_BYTES: "50 MiB", ANONYMOUS_READ: "false", CORS_ORIGINS: "a, b", S3_BUCKET: "" };
  expect(readSettings(group, from(given))).toMatchObject({
    PORT: 0,
    LIMIT_BODY_BYTES: 52_428_800,
    ANONYMOUS_READ: false,
    CORS_ORIGINS: ["a", "b"],
    S3_BUCKET: "plugins",
  });
});

it("reports everything that is wrong at once, by name, and no secret", () => {
  const bad = { PORT: "x", S3_BUCKET: "A!", NATS_URL: "http://x", SECRET_KEY: "short", S3_BUKCET: "typo", MY_OWN: "1" };
  const { settings, problems } = inspectSettings(group, from(bad, ["MY_OWN"]));
  const names = problems.map((problem) => problem.pointer);
  expect(names).toEqual(["PORT", "S3_BUCKET", "NATS_URL", "SECRET_KEY", "S3_BUKCET", "MY_OWN"]);
  expect(settings.PORT).toBe(8080);
  expect(settingsError(problems)).toMatchObject({ kind: "invalid_argument", reason: "INVALID_SETTINGS" });
  expect(settingsError(problems).message).not.toContain("short");
});

it("lets platforms put their own variables beside ours", () => {
  const platform = { NATS_PORT_4222_TCP_ADDR: "10.0.0.1", NATS_SERVICE_HOST: "10.0.0.1", PATH: "/bin" };
  expect(readSettings(group, from(platform)).PORT).toBe(8080);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kit-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("takes the settings file, and secrets from files of their own", () => {
  writeFileSync(join(folder, "key"), "a secret in a file\n");
  writeFileSync(join(folder, "nats"), "nats://user:pass@example.com\n");
  const lines = [
    "# comment",
    "PORT=9000",
    `SECRET_KEY_FILE=${join(folder, "key")}`,
    `NATS_URL_FILE=${join(folder, "nats")}`,
  ];
  writeFileSync(join(folder, ".env"), lines.join("\n"));
  expect(readSettings(group, readEnvironment(join(folder, ".env"), group))).toMatchObject({
    PORT: 9000,
    SECRET_KEY: "a secret in a file",
    NATS_URL: "nats://user:pass@example.com",
  });
  expect(readEnvironment(join(folder, "absent"), group).fromFile.size).toBe(0);
});

it("tells of all files that hold no value, and of files for what is no secret", () => {
  writeFileSync(join(folder, "empty"), "\n");
  const lines = ["SECRET_KEY_FILE=/nowhere/at/all", `NATS_URL_FILE=${join(folder, "empty")}`];
  writeFileSync(join(folder, ".env"), lines.join("\n"));
  expect(() => readEnvironment(join(folder, ".env"), group)).toThrow(
    /NATS_URL_FILE: .* is empty\n.*SECRET_KEY_FILE: cannot be read/,
  );
  writeFileSync(join(folder, ".env"), "PORT_FILE=/etc/port\nSECRET_KEY_FILE=\n");
  const { problems } = inspectSettings(group, readEnvironment(join(folder, ".env"), group));
  expect(problems.map(({ pointer }) => pointer)).toEqual(["PORT_FILE"]);
});
