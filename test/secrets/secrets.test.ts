import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../servers/cleanup.ts";
import { formsOf } from "./forms.ts";
import { captureFailure, captureOutput, folderSetting, registerSecret, registerSecretsIn } from "./record.ts";
import { SecretSearch } from "./search.ts";
import { judgeSecrets } from "./verdict.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder("secrets-test");
});
afterEach(() => {
  vi.unstubAllEnvs();
  folder.remove();
});

const secret = { kind: "password", value: "a long enough password+/" };
const jwt = { kind: "signed token", value: `eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoxfQ.${"s1gnature-_".repeat(4)}` };

function file(content: string | Buffer): string {
  const path = join(folder.path, "output.log");
  writeFileSync(path, content);
  return path;
}

describe("a planted secret", () => {
  const forms: [string, string][] = [
    ["as it is", secret.value],
    ["in a URL", `?q=${encodeURIComponent(secret.value)}&x`],
    ["in a form", "a+long+enough+password%2B%2F"],
    ["in base64", Buffer.from(secret.value).toString("base64")],
    ["in base64url", Buffer.from(secret.value).toString("base64url")],
    ["in base64 behind a user's name", Buffer.from(`ann:${secret.value}`).toString("base64")],
    ["in base64 among others", Buffer.from(`ab:${secret.value}:and more`).toString("base64")],
    ["in base64 once more", Buffer.from(`x:${secret.value}\n`).toString("base64")],
    ["in hexadecimal", Buffer.from(secret.value).toString("hex")],
  ];

  it.each(forms)("is found %s", async (_how, text) => {
    const found = await new SecretSearch([jwt, secret]).searchFile(file(`first\n{"msg":"${text}"}\nlast\n`));
    expect(found).toMatchObject([{ line: 2, kind: "password" }]);
    expect(found[0]?.around).not.toContain("enough");
  });

  it("is found by the signature of a token alone", async () => {
    const [, , signature = ""] = jwt.value.split(".");
    expect(await new SecretSearch([secret, jwt]).searchFile(file(`x ${signature}`))).toMatchObject([
      { line: 1, kind: "signed token", around: "x ***" },
    ]);
  });

  it("is found wherever the file is cut into pieces", async () => {
    const piece = 64 * 1024;
    const search = new SecretSearch([secret]);
    for (const before of [0, 1, piece - 30, piece - 5, piece - 1, piece, piece + 1, 3 * piece - 7]) {
      const text = `${"line\n".repeat(Math.floor(before / 5))}${"x".repeat(before % 5)}${secret.value}\n`;
      expect(await search.searchFile(file(text))).toMatchObject([{ line: Math.floor(before / 5) + 1 }]);
    }
  });

  it("is found whatever it consists of", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 12 }), fc.string(), async (value, around) => {
        const search = new SecretSearch([{ kind: "any", value: value.toWellFormed() }]);
        const text = `${around.replaceAll(value, "")}|${value.toWellFormed()}|`;
        expect((await search.searchFile(file(text))).length).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
  });

  it("is told once for each place, and a flood of them not for ever", async () => {
    const search = new SecretSearch([secret, jwt]);
    expect(await search.searchFile(file(`${secret.value}\n${jwt.value}\n${secret.value}`))).toMatchObject([
      { line: 1, kind: "password" },
      { line: 2, kind: "signed token" },
      { line: 3, kind: "password" },
    ]);
    expect(await search.searchFile(file(`${secret.value}\n`.repeat(1000)))).toHaveLength(50);
    expect(await search.searchFile(file("a long enough passwort and nothing else"))).toEqual([]);
  });
});

it("looks for no form that could be there by chance", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12 }), (value) => {
      for (const form of formsOf(value)) expect(form.length).toBeGreaterThanOrEqual(8);
    }),
  );
});

describe("a run", () => {
  it("fails for a secret in an output, named by file, line and kind, and never shown", async () => {
    vi.stubEnv(folderSetting, folder.path);
    registerSecretsIn({
      username: "ann",
      password: "the password of ann",
      user: { tokens: [{ secret: "acr_one-time-secret" }] },
    });
    registerSecretsIn({ download_url: "http://a/b.zip?sha256=abcdefabcdefabcdef&ticket=1700000000.signed-part" });
    registerSecret("password", "short");
    captureOutput("catalog")("all is well\n");
    const good = await judgeSecrets(folder.path, true);
    expect(good.failures).toEqual([]);
    expect(good.told).toMatch(/^3 secrets looked for in 1 outputs, 12 bytes$/);
    captureOutput("gateway")('ok\n{"msg":"the password of ann"}\n');
    captureFailure('{"detail":"acr_one-time-secret"}');
    const { failures } = await judgeSecrets(folder.path, true);
    expect(failures).toHaveLength(2);
    expect(failures.join("\n")).toMatch(/gateway\.log:2: a password stands in the output: \{"msg":"\*\*\*"\}/);
    expect(failures.join("\n")).toMatch(/failures\.log:1: a secret that is shown once stands/);
  });

  it("fails where there was nothing to look for or to look at, unless no stack ran", async () => {
    expect((await judgeSecrets(folder.path, true)).failures).toHaveLength(2);
    expect((await judgeSecrets(folder.path, false)).failures).toEqual([]);
    mkdirSync(join(folder.path, "secrets"));
    appendFileSync(join(folder.path, "secrets", "1.jsonl"), `${JSON.stringify(secret)}\n`);
    expect((await judgeSecrets(folder.path, true)).failures).toEqual([
      "no output was captured although end-to-end tests ran",
    ]);
  });

  it("that nobody records keeps nothing", () => {
    vi.stubEnv(folderSetting, "");
    registerSecret("password", "another password of somebody");
    captureOutput("x")("text");
    expect(formsOf("x")).toEqual([]);
  });
});
