import { describe, expect, it } from "vitest";
import { checksFailed, defaultPolicy, judge, type Policy, severities } from "./policy.ts";

const finding = (severity: string, rule = "some-rule") => ({
  rule,
  severity,
  message: "Something is odd",
  file: "a.py",
  line: 3,
});

describe("the policy", () => {
  it("by default refuses what is critical, holds what is high and lets the rest through with a warning", () => {
    const outcomes = severities.map((severity) => judge([finding(severity)], defaultPolicy).outcome);
    expect(outcomes).toEqual(["refuse", "hold", "accept", "accept", "accept"]);
    expect(judge([], defaultPolicy)).toEqual({ outcome: "accept", findings: [] });
    expect(judge([finding("info"), finding("critical"), finding("high")], defaultPolicy).outcome).toBe("refuse");
  });

  it("takes a severity that it does not know for the gravest", () => {
    expect(judge([finding("catastrophic")], defaultPolicy).outcome).toBe("refuse");
  });

  it("lets a rule that is named win over its severity, and forgets what is ignored", () => {
    const policy: Policy = { ...defaultPolicy, byRule: new Map([["some-rule", "ignore"]]) };
    expect(judge([finding("critical")], policy)).toEqual({ outcome: "accept", findings: [] });
    expect(judge([finding("critical", "another-rule")], policy).outcome).toBe("refuse");
  });

  it("never lets through unseen what could not be checked", () => {
    const policy: Policy = { ...defaultPolicy, byRule: new Map([["scan-failed", "ignore"]]) };
    expect(judge([finding("info", "scan-failed")], policy).outcome).toBe("hold");
  });

  it("tells a publisher every finding that refuses, where it is and by which rule", () => {
    const { findings } = judge([finding("critical"), finding("info"), finding("critical", "other")], defaultPolicy);
    const error = checksFailed(findings);
    expect(error).toMatchObject({ kind: "rejected", reason: "CHECKS_FAILED" });
    expect(error.message).toBe("The package was refused: Something is odd (a.py:3) (and 1 more, see errors)");
    expect(error.fields).toEqual([
      { pointer: "archive:a.py", reason: "some-rule: Something is odd (a.py:3)" },
      { pointer: "archive:a.py", reason: "other: Something is odd (a.py:3)" },
    ]);
  });
});
