import { describe, expect, it } from "vitest";
import { LeftOut } from "./left-out.ts";

const keeps = (rules: LeftOut, ...paths: string[]): string[] =>
  paths.filter((path) => !rules.has(path.replace(/\/$/, ""), path.endsWith("/")));

describe("what is left out", () => {
  it("is what no package wants, at any depth, and counted by pattern", () => {
    const rules = new LeftOut();
    const kept = keeps(
      rules,
      ".git/",
      "a/.hg/",
      "node_modules/",
      "a/node_modules/",
      ".env",
      ".env.local",
      "a/__pycache__/",
      "a/b.pyc",
      ".DS_Store",
      ".github/",
      "environment.ts",
      "git/",
      "plugin.yaml",
      ".registryignore",
    );
    expect(kept).toEqual([".github/", "environment.ts", "git/", "plugin.yaml", ".registryignore"]);
    expect(rules.counts()).toEqual([
      { pattern: ".git", count: 1 },
      { pattern: ".hg", count: 1 },
      { pattern: "node_modules", count: 2 },
      { pattern: ".env*", count: 2 },
      { pattern: "__pycache__", count: 1 },
      { pattern: "*.pyc", count: 1 },
      { pattern: ".DS_Store", count: 1 },
    ]);
  });

  it("is what the ignore file lists, as a .gitignore does", () => {
    const rules = new LeftOut("\uFEFF# notes\r\n*.log\r\n!keep.log\n/dist/\ndocs/**/draft.md\n\nTMP\n!.env.example\n");
    const kept = keeps(rules, "a.log", "b/a.log", "keep.log", "dist/", "b/dist/", "dist", "docs/a/b/draft.md", "tmp");
    expect(kept).toEqual(["keep.log", "b/dist/", "dist", "tmp"]);
    expect(keeps(rules, ".env", ".env.example")).toEqual([".env.example"]);
    expect(rules.counts()).toContainEqual({ pattern: "*.log", count: 2 });
  });

  it("is what opens other people's doors, unless taken back", () => {
    const secrets = [
      ...[".npmrc", ".netrc", ".pypirc", ".ssh/", ".aws/", ".gnupg/", ".docker/", ".kube/"],
      ...["id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", "a/server.pem", "a/server.key", "a.p12", "a.pfx"],
    ];
    expect(keeps(new LeftOut(), ...secrets)).toEqual([]);
    const harmless = ["id_rsa.pub", "keys.ts", "pem.md", "npmrc", "ssh/", "a.key.md"];
    expect(keeps(new LeftOut(), ...harmless)).toEqual(harmless);
    expect(keeps(new LeftOut("!ca.pem\n!.npmrc"), "ca.pem", "a/ca.pem", "b.pem", ".npmrc")).toEqual([
      ...["ca.pem", "a/ca.pem", ".npmrc"],
    ]);
  });
});
