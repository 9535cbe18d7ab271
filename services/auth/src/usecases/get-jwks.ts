import type { UseCase } from "../parts.ts";

export const getJwks: UseCase<"getJwks"> = (parts) => async () => ({
  jwksJson: JSON.stringify({ keys: (await parts.signingKeys?.published()) ?? [] }),
});
