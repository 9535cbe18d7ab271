import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkedToken,
  privatePem,
  publicPem,
  randomLooking,
  registryToken,
  webToken,
} from "../test-support/secrets.ts";
import { secretShapes } from "./secret-shapes.ts";
import { scanSecrets } from "./secrets.ts";

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const digits = "0123456789";
const awsId = `AKIA${randomLooking(16, upper)}`;

/** What is found first in a text, as `rule severity`. */
const found = (text: string, file = "src/config.py"): string | undefined => {
  const [first] = scanSecrets(text, file);
  return first === undefined ? undefined : `${first.rule} ${first.severity}`;
};

const critical: readonly (readonly [string, string])[] = [
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map((prefix) => [prefix, checkedToken(prefix)] as const),
  ["GitHub refresh", `ghr_${randomLooking(76)}`],
  ["GitHub fine-grained", `github_pat_${randomLooking(22)}_${randomLooking(59)}`],
  ["GitLab", `glpat-${randomLooking(20)}`],
  ["GitLab, routable", `glpat-${randomLooking(40)}.01.0w1abcdef`],
  ["npm", checkedToken("npm_")],
  ["PyPI", `pypi-AgEIcHlwaS5vcmc${randomLooking(120)}`],
  ["Slack bot", `xoxb-${randomLooking(12, digits)}-${randomLooking(24)}`],
  [
    "Slack webhook",
    `https://hooks.slack.com/services/T${randomLooking(9, upper)}/B${randomLooking(9, upper)}/${randomLooking(24)}`,
  ],
  ["Stripe", `sk_live_${randomLooking(24)}`],
  ["Stripe restricted", `rk_live_${randomLooking(99)}`],
  ["OpenAI", `sk-proj-${randomLooking(74)}T3BlbkFJ${randomLooking(74)}`],
  ["OpenAI, old", `sk-${randomLooking(20)}T3BlbkFJ${randomLooking(20)}`],
  ["Anthropic", `sk-ant-api03-${randomLooking(95)}`],
  ["Hugging Face", `hf_${randomLooking(34, letters)}`],
  ["SendGrid", `SG.${randomLooking(22)}.${randomLooking(43)}`],
  ["this registry", registryToken()],
  ["this registry, service account", registryToken("acs_")],
  ["this registry, workflow", registryToken("acp_")],
  ["AWS with its secret", `${awsId}"\nsecret = "${randomLooking(40, `${letters}${digits}/+`)}`],
];

describe("a token", () => {
  test.each(critical)("of %s is found, and never shown", (_kind, token) => {
    const text = `first = 1\ntoken = "${token}"\n`;
    const [finding, ...others] = scanSecrets(text, "src/config.py");
    expect(finding).toMatchObject({ rule: "secret-token", severity: "critical", file: "src/config.py", line: 2 });
    expect(others).toEqual([]);
    expect(finding?.message).not.toContain(token.slice(-12));
  });
  test.each([
    ["Google", `AIza${randomLooking(35)}`, "secret-token high"],
    ["AWS, the id alone", awsId, "secret-token medium"],
    ["Telegram", `${randomLooking(10, "123456789")}:AA${randomLooking(33)}`, "secret-token medium"],
    ["JWT", webToken({ sub: "ada", exp: 4_000_000_000 }), "secret-token medium"],
  ])("of %s may be meant to be seen", (_kind, token, expected) => {
    expect(found(`x = '${token}'`)).toBe(expected);
  });
  test("is found after an escaped line end", () => {
    expect(found(`const env = "A=1\\n${checkedToken("ghp_")}";`)).toBe("secret-token critical");
  });
  test.each([
    ["a wrong checksum", `ghp_${randomLooking(36)}`],
    ["a wrong checksum (npm)", `npm_${randomLooking(36)}`],
    ["a wrong checksum (this registry)", `acr_${randomLooking(49)}`],
    ["one character", `sk_live_${"x".repeat(24)}`],
    ["a run", `hf_${"aaaaaaaa"}${randomLooking(26, letters)}`],
    ["little variety", `glpat-${"abcd".repeat(5)}`],
    ["a telling word", `sk-ant-api03-your-key-here-${randomLooking(80)}`],
    ["another", `SG.EXAMPLE${randomLooking(15)}.${randomLooking(43)}`],
    ["the documented AWS pair", "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
    ["the documented webhook", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"],
    ["a variable", `sk_live_\${STRIPE_KEY_OF_THIS_DEPLOYMENT}`],
    ["a word that goes on", `task-ant-api03-${randomLooking(95)}`],
    ["the sample JWT", webToken({ sub: "1234567890", name: "John Doe", iat: 1516239022 })],
    ["no JWT", `eyJ${randomLooking(20)}.eyJ${randomLooking(20)}.${randomLooking(43)}`],
    ["an unsigned JWT", webToken({ sub: "ada" }, { alg: "none" })],
    ["a digest", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["an import", "from hf_transfer import sk_live_mode, npm_config"],
  ])("with %s is none", (_why, text) => {
    expect(scanSecrets(text, "src/config.py")).toEqual([]);
  });
  test("is not pushed out by lesser ones before it", () => {
    const ids = Array.from({ length: 40 }, () => `AKIA${randomLooking(16, upper)}\n`).join("");
    const rules = scanSecrets(`${ids}${"-\n".repeat(400)}${checkedToken("ghp_")}\n${privatePem}`, "a.txt").map(
      ({ rule, severity }) => `${rule} ${severity}`,
    );
    expect(rules).toHaveLength(20);
    expect(new Set(rules)).toEqual(
      new Set(["secret-private-key critical", "secret-token critical", "secret-token medium"]),
    );
  });
  test("is told twenty times at most", () => {
    expect(scanSecrets(`${checkedToken("ghp_")}\n`.repeat(1000), "a.txt")).toHaveLength(20);
  });
});

describe("a private key", () => {
  const block = (kind: string, body: string): string => `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----\n`;
  const body = randomLooking(1600, `${letters}${digits}+/`);
  test.each([
    ["as PEM", privatePem],
    ["of RSA", block("RSA PRIVATE KEY", body)],
    ["of OpenSSH", block("OPENSSH PRIVATE KEY", body)],
    ["of PGP", block("PGP PRIVATE KEY BLOCK", `Version: GnuPG v2\n\n${body}\n=ab1c`)],
    ["with a password", block("RSA PRIVATE KEY", `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n${body}`)],
    ["in a string", JSON.stringify({ key: privatePem })],
    [
      "in several strings",
      privatePem
        .trim()
        .split("\n")
        .map((line) => `"${line}\\n" +`)
        .join("\n"),
    ],
    ["with a long file after it", `${privatePem}${"-".repeat(100_000)}`],
  ])("%s is found", (_kind, text) => {
    expect(scanSecrets(`# \n${text}`, "key")).toMatchObject([
      { rule: "secret-private-key", severity: "critical", line: 2, message: expect.stringContaining("private key") },
    ]);
  });
  test.each([
    ["a public one", publicPem],
    ["a certificate", block("CERTIFICATE", body)],
    ["a header alone", 'if text.startswith("-----BEGIN PRIVATE KEY-----"):'],
    ["one that was shortened", block("RSA PRIVATE KEY", `${body.slice(0, 64)}\n...\n${body.slice(64, 128)}`)],
    ["a placeholder", block("PRIVATE KEY", "YOUR KEY HERE ".repeat(10))],
    ["one of x", block("PRIVATE KEY", "x".repeat(64))],
  ])("is not %s", (_kind, text) => {
    expect(scanSecrets(text, "key")).toEqual([]);
  });
});

describe("an environment file", () => {
  const value = randomLooking(24);
  test.each([".env", "app/.env", ".env.local", ".env.production"])("%s with a secret is found", (file) => {
    expect(scanSecrets(`PORT=80\nDB_PASSWORD="${value}"\nAPI_KEY=${value}\n`, file)).toMatchObject([
      {
        rule: "secret-env-file",
        severity: "medium",
        file,
        line: 2,
        message: expect.stringContaining("2 assigned secrets"),
      },
    ]);
  });
  test.each([
    [".env.example", `API_KEY=${value}`],
    ["config.txt", `API_KEY=${value}`],
    [".env", "API_KEY=your-key-here"],
    [".env", "API_KEY="],
    [".env", "API_KEY=$OTHER_KEY_HERE"],
    [".env", "API_TOKEN=<put it here please>"],
    [".env", `NAME=${value}`],
    [".env", "TOKEN_URL_SECRET=https://example.org/token"],
  ])("%s with %s is not", (file, text) => {
    expect(scanSecrets(text, file)).toEqual([]);
  });
});

describe("hostile texts", () => {
  test("no pattern has a repetition without an end", () => {
    for (const { pattern } of secretShapes) expect(pattern.source).not.toMatch(/[^\\][*+]|\{\d+,\}/);
  });
  test.each([
    ...new Set(secretShapes.map(({ prefix }) => prefix)),
    "AKIA",
    "-----BEGIN PRIVATE KEY-----",
    ":AA",
    "eyJ-eyJ.",
    "\\neyJ",
    "a.eyJ",
    "sk-T3BlbkFJ",
  ])("a megabyte of %j is walked through", (part) => {
    expect(scanSecrets(part.repeat(Math.ceil(2 ** 20 / part.length)), ".env").length).toBeLessThanOrEqual(21);
  });
  test("no text makes it throw, and no finding holds a secret", () => {
    const part = fc.oneof(fc.string(), fc.constantFrom(...critical.map(([, token]) => token), privatePem, "\n"));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        for (const finding of scanSecrets(parts.join(" "), ".env")) {
          expect(finding.message).not.toMatch(/[A-Za-z0-9+/]{20}/);
          expect(finding.line).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});
