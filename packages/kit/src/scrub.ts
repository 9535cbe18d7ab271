const censored = "[secret]";

/** What looks like a credential, wherever it stands; each is linear in the length of the text. */
const credentials: readonly (readonly [RegExp, string])[] = [
  // The user and password of a URL, as drivers put them into their errors.
  [/(:\/\/)[^\s/?#"'\\@]{1,512}@/g, `$1${censored}@`],
  [/\b(Bearer\s{1,4})[\w.~+/-]{8,}=*/gi, `$1${censored}`],
  // API tokens of the registry, and signed tokens.
  [/\bac[a-z]_[\w-]{20,}/g, censored],
  // Secrets of webhooks.
  [/\bwhsec_[\w+/-]{20,}=*/g, censored],
  [/\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]{6,}/g, censored],
];

/** Shorter values occur by chance. */
const shortest = 6;

/** The text without anything that looks like a credential, and without the values given. */
export function scrub(text: string, secrets: readonly string[] = []): string {
  const known = secrets
    .filter((secret) => secret.length >= shortest)
    // As they stand in JSON, too.
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const without = known.reduce((rest, secret) => rest.replaceAll(secret, censored), text);
  return credentials.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), without);
}

/** The password in a URL, if there is one, as it stands there and decoded. */
export function passwordsIn(url: string): string[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*?:([^/?#]*)@/i.exec(url)?.[1];
  if (password === undefined || password === "") return [];
  try {
    return [...new Set([password, decodeURIComponent(password)])];
  } catch {
    return [password];
  }
}
