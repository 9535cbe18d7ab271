import { isRegistryError } from "@registry/domain";
import { inspectSettings } from "@registry/kit";
import { expect, it } from "vitest";
import { planProcess } from "./plan.ts";
import { allSettings } from "./settings.ts";

/** What a start with these settings is refused for, by name. */
function problems(values: Record<string, string>): Record<string, string> {
  const environment = { values: new Map(Object.entries(values)), fromFile: new Set<string>() };
  const { settings, problems: bad } = inspectSettings(allSettings, environment);
  try {
    planProcess([], settings, bad);
    return {};
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return Object.fromEntries(error.fields.map(({ pointer, reason }) => [pointer, reason]));
  }
}

const whole = { OIDC_ISSUER: "https://id.example", OIDC_CLIENT_ID: "registry", OIDC_CLIENT_SECRET: "secret" };

it("starts with all of the provider's settings or none of them, and names those that are missing", () => {
  expect(problems({})).toEqual({});
  expect(problems(whole)).toEqual({});
  expect(problems({ OIDC_ISSUER: "https://id.example" })).toEqual({
    OIDC_CLIENT_ID: "needed beside OIDC_ISSUER",
    OIDC_CLIENT_SECRET: "needed beside OIDC_ISSUER",
  });
  expect(Object.keys(problems({ OIDC_CLIENT_SECRET: "secret" }))).toEqual(["OIDC_ISSUER", "OIDC_CLIENT_ID"]);
  expect(problems({ OIDC_ADMIN_GROUP: "admins" })).toEqual({ OIDC_ISSUER: "needed beside OIDC_ADMIN_GROUP" });
});

it.each([
  "http://id.example",
  "http://127.0.0.1.evil.example",
  "http://localhost@evil.example",
  "https://user@id.example",
  "https://id.example?tenant=a",
  "https://id.example/#a",
  "ftp://id.example",
  "id.example",
])("takes no issuer that tokens could not be trusted from: %s", (issuer) => {
  expect(Object.keys(problems({ ...whole, OIDC_ISSUER: issuer }))).toEqual(["OIDC_ISSUER"]);
  const [name, reason] = Object.entries(problems({ TRUSTED_ISSUERS: `https://ok.example, ${issuer}` }))[0] ?? [];
  expect(name).toBe("TRUSTED_ISSUERS");
  expect(reason).toContain("https://…");
});

it("takes issuers as they are written, and plain HTTP on this machine", () => {
  for (const issuer of [
    "https://id.example/tenant/",
    "http://localhost:9000",
    "http://127.0.0.1:1/a",
    "http://[::1]",
  ]) {
    expect(problems({ ...whole, OIDC_ISSUER: issuer, TRUSTED_ISSUERS: `${issuer},https://other.example` })).toEqual({});
  }
});

it("asks for openid, and tells a misspelt setting", () => {
  expect(Object.keys(problems({ OIDC_SCOPES: "profile email" }))).toEqual(["OIDC_SCOPES"]);
  expect(Object.keys(problems({ OIDC_SCOPES: "xopenid" }))).toEqual(["OIDC_SCOPES"]);
  expect(problems({ OIDC_SCOPES: "groups openid profile" })).toEqual({});
  expect(Object.keys(problems({ OIDC_CLIENTID: "registry" }))).toEqual(["OIDC_CLIENTID"]);
});
