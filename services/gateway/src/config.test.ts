import { inspectSettings } from "@registry/kit";
import { expect, it } from "vitest";
import { gatewaySettings } from "./config.ts";

const read = (values: Record<string, string>) =>
  inspectSettings(gatewaySettings, { values: new Map(Object.entries(values)), fromFile: new Set() });

it.each([
  ["TRUSTED_PROXIES", "proxy.local"],
  ["TRUSTED_PROXIES", "10.0.0.0/33"],
  ["TRUSTED_PROXIES", "10.0.0.0/x"],
  ["TRUSTED_PROXIES", "10.0.0.0/8/8"],
  ["TRUSTED_PROXIES", "::1/129"],
  ["TRUSTED_HOSTS", "registry.example.com:8080"],
  ["TRUSTED_HOSTS", "https://registry.example.com"],
  ["TRUSTED_HOSTS", "*example.com"],
  ["TRUSTED_HOSTS", "a b"],
  ["CORS_ORIGINS", "app.example.com"],
  ["CORS_ORIGINS", "https://app.example.com/"],
  ["CORS_ORIGINS", "https://App.example.com"],
  ["CORS_ORIGINS", "https://*.example.com"],
  ["CORS_ORIGINS", "null"],
  ["CORS_ORIGINS", "ftp://app.example.com"],
])("tells at start of %s=%s, by name", (name, value) => {
  const { problems, settings } = read({ [name]: value });
  expect(problems).toEqual([
    {
      pointer: name,
      reason: expect.stringMatching(new RegExp(`^${JSON.stringify(value).replace(/[.*+]/g, "\\$&")}: expected `)),
    },
  ]);
  expect(settings[name as "CORS_ORIGINS"]).toEqual(gatewaySettings[name as "CORS_ORIGINS"].fallback);
});

it("takes what is right", () => {
  const { problems, settings } = read({
    TRUSTED_PROXIES: "10.0.0.0/8, ::1, fd00::/8,192.0.2.7",
    TRUSTED_HOSTS: "registry.example.com,*.example.org,[::1],127.0.0.1",
    CORS_ORIGINS: "https://app.example.com, http://localhost:3000",
  });
  expect(problems).toEqual([]);
  expect(settings.TRUSTED_PROXIES).toEqual(["10.0.0.0/8", "::1", "fd00::/8", "192.0.2.7"]);
  expect(settings.CORS_ORIGINS).toHaveLength(2);
});
