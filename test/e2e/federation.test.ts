import { afterAll, describe } from "vitest";
import { BuildSystem } from "../../services/auth/src/testing/build-system.ts";
import { startProvider } from "../../services/auth/src/testing/oidc-provider.ts";
import { federationStories } from "./stories/federation.ts";
import { createWorld } from "./world.ts";

// The registry is told of them before it starts.
const [provider, builds] = await Promise.all([startProvider(), BuildSystem.start()]);
afterAll(() => Promise.all([provider.close(), builds.close()]));

describe("a registry with the company's identity provider and build system", () => {
  const world = createWorld("embedded", {
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: provider.clientId,
    OIDC_CLIENT_SECRET: provider.clientSecret,
    OIDC_SCOPES: "openid profile email groups",
    OIDC_NAME: "Sign in with Acme",
    OIDC_DEFAULT_ROLE: "publisher",
    OIDC_ADMIN_GROUP: "registry-admins",
    TRUSTED_ISSUERS: builds.issuer,
  });
  federationStories(world, provider, builds);
});
