import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDigest } from "./digests.ts";
import { isTeamName, parseOrgName } from "./membership.ts";
import { isPluginName, reservedNames } from "./names.ts";
import {
  channelPattern,
  digestPattern,
  orgNamePattern,
  plainTextPattern,
  pluginNamePattern,
  saidLinePattern,
  saidTextPattern,
  teamNamePattern,
  versionPattern,
  versionSpecPattern,
} from "./patterns.ts";
import { grantPattern, isGrant } from "./permissions.ts";
import { isLongerThan, isPlainLine, isPlainText } from "./plain-text.ts";
import { isChannelName, isVersion, parseVersionSpec } from "./versions.ts";

function passes(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
}

const isOrgName = passes(parseOrgName);
const isSpec = passes(parseVersionSpec);
const isSaid = (text: string): boolean => isPlainText(text) && text.trim() !== "";
const reserved = ["npm", "registry", "mirror", "admin", "anonymous", "all", "new", "me", ...reservedNames];

const rules: [string, string, (text: string) => boolean, string][] = [
  ["a plugin's name", pluginNamePattern, isPluginName, "a0.-@/"],
  ["an organisation's name", orgNamePattern, isOrgName, "a0.-"],
  ["a team's name", teamNamePattern, isTeamName, "a0-_"],
  ["a digest", digestPattern, isDigest, "0fg"],
  ["a right", grantPattern, isGrant, "*:@/a"],
  ["a plain text", plainTextPattern, isPlainText, " a\n\0\u202e\u{1f600}"],
  ["a line", saidLinePattern, (text) => isPlainLine(text) && text.trim() !== "", " \ta\n\u3000\0"],
  ["what somebody says", saidTextPattern, isSaid, " \t\u00a0\u3000\ufeffa\0"],
];

it("counts characters as people do", () => {
  for (const one of ["a", "\u{1f600}"]) {
    expect([isLongerThan(one.repeat(8), 8), isLongerThan(one.repeat(9), 8), isLongerThan(one.repeat(99), 8)]).toEqual([
      false,
      true,
      true,
    ]);
  }
});

describe("patterns", () => {
  it.each(rules)("of %s and its rule accept the same", (_what, pattern, accepts, letters) => {
    const matcher = new RegExp(pattern, "u");
    const looser = new RegExp(pattern.replace(/\(\?!.*?\)\)/, ""), "u");
    fc.assert(
      fc.property(fc.stringMatching(looser, { size: "medium" }), (text) => {
        fc.pre(matcher.test(text) && !reserved.includes(text));
        expect([text, accepts(text)]).toEqual([text, true]);
      }),
    );
    const unit = fc.constantFrom(...letters);
    const near = fc.oneof(fc.string({ unit, maxLength: 70 }), fc.string({ unit: "binary", maxLength: 10 }));
    fc.assert(
      fc.property(near, (text) => {
        expect([text, matcher.test(text)]).toEqual([text, accepts(text)]);
      }),
    );
  });

  it.each([
    ["a version", versionPattern, isVersion, 64],
    ["a channel", channelPattern, (text: string) => isChannelName(text) || isSpec(text), 32],
    ["what is asked for", versionSpecPattern, isSpec, 128],
  ] as const)("of %s describe nothing that its rule refuses", (_what, pattern, accepts, longest) => {
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(pattern, "u"), { size: "medium" }), (text) => {
        fc.pre(text.length <= longest);
        expect([text, accepts(text)]).toEqual([text, true]);
      }),
      { numRuns: 1000 },
    );
  });

  it("know the usual ways to ask for a version", () => {
    const usual = [
      "1.2.3",
      "v1.2.3",
      "^1.2",
      "~1.2.3",
      ">=1.0.0 <2.0.0",
      "1.x || >=2.5.0",
      "1 - 2",
      "*",
      "latest",
      "=1",
    ];
    for (const spec of usual) expect(spec).toMatch(new RegExp(versionSpecPattern, "u"));
    expect("1.0.0-rc.1").toMatch(new RegExp(versionPattern, "u"));
  });
});
