const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function isLoopback(url: URL): boolean {
  return loopback.test(url.hostname);
}

/**
 * An issuer as tokens name it, character by character: https, or http on this very machine.
 * @throws Error with what is expected
 */
export function parseIssuerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  if (url === undefined || !isSafe || url.username !== "" || /[?#\s]/.test(text)) {
    throw new Error("expected the URL of an issuer: https://…, or http:// on localhost, without ? and #");
  }
  return text;
}

/**
 * Whether an address that the issuer's own document names may be called: what is secure does not lead to what is not,
 * and no one but an issuer on this machine leads to this machine's plain ports.
 */
export function mayBeCalled(address: string, issuer: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && isLoopback(url) && issuer.startsWith("http:");
}
