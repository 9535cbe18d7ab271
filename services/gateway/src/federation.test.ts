import type { FinishSignInRequest } from "@registry/contracts/federation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemSchema } from "./schemas.ts";
import { type FakeNeighbours, type FakeStack, startFakeStack } from "./testing/fakes.ts";

const finished: FinishSignInRequest[] = [];
const begun: object[] = [];
const federation: NonNullable<FakeNeighbours["federation"]> = {
  async beginSignIn(request) {
    begun.push(request);
    return { authorizationUrl: "https://id.example/auth?state=s", sealedState: "sealed" };
  },
  async finishSignIn(request) {
    finished.push(request);
    return { user: { id: 7, username: "ann", role: "user" }, token: "t", returnTo: "/ui/" };
  },
};

describe("the browser's way to the provider and back", () => {
  let stack: FakeStack;
  const start = async (config: Parameters<typeof startFakeStack>[1] = {}): Promise<FakeStack> => {
    stack = await startFakeStack({ federation }, config);
    return stack;
  };
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${stack.url}/api/v1/auth/oidc/${path}`, { redirect: "manual", headers });

  describe("over plain HTTP", () => {
    beforeAll(() => start());
    afterAll(() => stack.close());

    it("begins with a cookie for the way back alone", async () => {
      const response = await ask("login?return_to=/ui/");
      expect([response.status, response.headers.get("location")]).toEqual([302, "https://id.example/auth?state=s"]);
      expect(response.headers.get("set-cookie")).toBe(
        "registry_oidc=sealed; HttpOnly; SameSite=Lax; Path=/api/v1/auth/oidc; Max-Age=600",
      );
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(begun).toEqual([{ redirectUri: `${stack.url}/api/v1/auth/oidc/callback`, returnTo: "/ui/" }]);
    });

    it("ends with a session that nothing keeps, and without the cookie", async () => {
      const response = await ask("callback?code=c&state=s&more=1", { cookie: "other=1; registry_oidc=sealed; x=y" });
      expect(await response.json()).toMatchObject({ token: "t", token_type: "bearer", return_to: "/ui/" });
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("set-cookie")).toMatch(/^registry_oidc=; .*Max-Age=0$/);
      const callbackUrl = `${stack.url}/api/v1/auth/oidc/callback?code=c&state=s&more=1`;
      expect(finished.at(-1)).toEqual({ callbackUrl, sealedState: "sealed" });
    });

    it("hands no cookie on where there is none, or two", async () => {
      for (const cookie of ["", "registry_oidc_2=a", "registry_oidc=a; registry_oidc=b"]) {
        await ask("callback?code=c&state=s", { cookie });
        expect(finished.at(-1)?.sealedState).toBe("");
      }
    });

    it("takes nothing that is said twice, and no strange fields of a body", async () => {
      expect((await ask("callback?code=c&code=d&state=s")).status).toBe(400);
      expect((await ask("login?return_to=/a&return_to=/b")).status).toBe(400);
      const body = JSON.stringify({ id_token: "a.b.c", plugin: "tool", scope: "*" });
      const response = await fetch(`${stack.url}/api/v1/auth/oidc/token`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect(problemSchema.parse(await response.json())).toMatchObject({ status: 400, code: "INVALID_BODY" });
    });
  });

  it("has a cookie for HTTPS alone, below the path of the registry, where that is its address", async () => {
    await start({ PUBLIC_URL: "https://tools.example/registry/" });
    try {
      const response = await ask("login");
      expect(response.headers.get("set-cookie")).toBe(
        "registry_oidc=sealed; HttpOnly; SameSite=Lax; Path=/registry/api/v1/auth/oidc; Max-Age=600; Secure",
      );
      const redirectUri = "https://tools.example/registry/api/v1/auth/oidc/callback";
      expect(begun.at(-1)).toEqual({ redirectUri, returnTo: "" });
      await ask("callback?code=c&state=s", { cookie: "registry_oidc=sealed" });
      expect(finished.at(-1)?.callbackUrl).toBe(`${redirectUri}?code=c&state=s`);
    } finally {
      await stack.close();
    }
  });
});
