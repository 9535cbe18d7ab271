import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Caller,
  highestInRange,
  isGrant,
  isPluginName,
  isVersion,
  latestOf,
  may,
  mayMove,
  maySomewhere,
  parsePluginName,
  parseVersion,
  parseVersionSpec,
  quote,
  RegistryError,
  releaseStates,
  skeletonOf,
  type Version,
} from "./index.ts";

const v = (...texts: string[]): Version[] => texts.map((text) => parseVersion(text));

describe("names", () => {
  it.each(["a", "weather-tool", "a.b", "@acme/tool", "x1", "a".repeat(64)])("takes %s", (name) => {
    expect(parsePluginName(name)).toBe(name);
  });
  it.each([
    "",
    "-a",
    "a-",
    "a--b",
    "a..b",
    "A",
    "a_b",
    "@acme",
    "@/x",
    "@a/",
    "a/b",
    "all",
    "a".repeat(65),
    "é",
    "../x",
  ])("refuses %j", (name) => {
    expect(() => parsePluginName(name)).toThrow(RegistryError);
  });
  it("folds look-alikes together and keeps others apart", () => {
    expect(skeletonOf("my-tool")).toBe(skeletonOf("my.tool"));
    expect(skeletonOf("modern")).toBe(skeletonOf("modem"));
    expect(skeletonOf("to0l")).toBe(skeletonOf("tool"));
    expect(skeletonOf("@a/tool")).not.toBe(skeletonOf("tool"));
    expect(skeletonOf("tool")).not.toBe(skeletonOf("toool"));
  });
  it("accepts nothing that could leave a path or a URL", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        if (isPluginName(text)) expect(text).toMatch(/^(?:@[a-z0-9.-]+\/)?[a-z0-9.-]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("versions", () => {
  it("takes Semantic Versioning without build metadata, in one spelling", () => {
    expect(isVersion("1.2.3-rc.1")).toBe(true);
    for (const bad of ["1.2", "v1.2.3", " 1.2.3", "1.2.3+x", "01.2.3", "1.2.3-01"]) expect(isVersion(bad)).toBe(false);
  });
  it("calls the highest release latest, a prerelease only where there is nothing else", () => {
    expect(latestOf(v("1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"))).toBe("1.10.0");
    expect(latestOf(v("2.0.0-rc.1", "2.0.0-rc.2"))).toBe("2.0.0-rc.2");
    expect(latestOf([])).toBeUndefined();
  });
  it("tells exact versions, ranges and channels apart", () => {
    expect(parseVersionSpec("")).toEqual({ type: "channel", channel: "latest" });
    expect(parseVersionSpec("1.0.0").type).toBe("exact");
    expect(parseVersionSpec("^1").type).toBe("range");
    expect(parseVersionSpec("beta")).toEqual({ type: "channel", channel: "beta" });
    expect(() => parseVersionSpec("not a version!")).toThrow(RegistryError);
    expect(() => parseVersionSpec("1.0.0+build")).toThrow(RegistryError);
    expect(highestInRange(v("1.0.0", "1.5.0", "2.0.0"), "^1")).toBe("1.5.0");
  });
});

describe("permissions", () => {
  const user = (more: Partial<Extract<Caller, { type: "user" }>>): Caller => ({
    type: "user",
    id: 1,
    username: "u",
    role: "user",
    grants: [],
    ...more,
  });
  it("follows roles, grants and the scopes of the credential", () => {
    expect(may({ type: "anonymous" }, "publish")).toBe(false);
    expect(may(user({}), "publish")).toBe(false);
    expect(may(user({ role: "publisher" }), "publish")).toBe(true);
    expect(may(user({ role: "publisher" }), "delete")).toBe(false);
    expect(may(user({ role: "admin" }), "delete")).toBe(true);
    expect(may(user({ grants: ["publish:x"] }), "publish", "x")).toBe(true);
    expect(may(user({ grants: ["publish:x"] }), "publish", "y")).toBe(false);
    expect(may(user({ role: "admin", scopes: ["read"] }), "publish")).toBe(false);
    expect(maySomewhere(user({ grants: ["publish:x"] }), "publish")).toBe(true);
    expect(maySomewhere(user({}), "publish")).toBe(false);
  });
  it("knows a grant by its form", () => {
    expect(isGrant("publish:@acme/tool")).toBe(true);
    expect(isGrant("publish:")).toBe(false);
    expect(isGrant("own:everything")).toBe(false);
  });
});

it("lets no release leave the tombstone", () => {
  for (const to of releaseStates) expect(mayMove("deleted", to)).toBe(false);
});

it("shows untrusted text escaped and cut", () => {
  expect(quote("a\u202eb\n")).toBe('"a\\u{202e}b\\u{a}"');
  expect(quote("x".repeat(500)).length).toBeLessThan(70);
});
