import { RegistryError, unauthenticated, unavailable } from "@registry/domain";

/** What the provider's redirect brought along. */
export interface Callback {
  readonly state: string;
  readonly issuer: string | undefined;
  /** Either a code, or why there is none. */
  readonly code: string | undefined;
  readonly error: string | undefined;
}

const longest = 8192;

/**
 * @param address with its query
 * @param redirectUri to which the provider was asked to send the browser back
 * @throws kind `unauthenticated` where it is another address, or says something twice
 */
export function parseCallback(address: string, redirectUri: string): Callback {
  const url = address.length <= longest && URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || `${url.origin}${url.pathname}` !== redirectUri) throw unauthenticated();
  const one = (name: string): string | undefined => {
    const [value, ...more] = url.searchParams.getAll(name);
    if (more.length > 0) throw unauthenticated();
    return value;
  };
  return { state: one("state") ?? "", issuer: one("iss"), code: one("code"), error: one("error") };
}

/** @throws what a provider's refusal comes to for whoever wanted to sign in */
export function refuseIfDenied({ error }: Callback): void {
  if (error === undefined) return;
  if (error === "server_error" || error === "temporarily_unavailable") throw unavailable("The identity provider");
  const text = "The identity provider did not sign you in; try again, or ask its administrator for access";
  throw new RegistryError("permission_denied", "SIGN_IN_REFUSED", text);
}
