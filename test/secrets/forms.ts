/** A secret that was used, and what a finding calls it. */
export interface Secret {
  readonly kind: string;
  readonly value: string;
}

/** Fewer bytes than this of an encoded form could be there by chance. */
const shortestForm = 8;

/** How a secret may stand in an output: as it is, encoded in the usual ways, and of a signed token its signature alone. */
export function formsOf(value: string): string[] {
  const signature = /^[\w-]+\.[\w-]+\.([\w-]{16,})$/.exec(value)?.[1];
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    encodeURIComponent(value).replaceAll("%20", "+"),
    Buffer.from(value).toString("hex"),
    ...base64Forms(value),
    ...(signature === undefined ? [] : [signature]),
  ];
  return [...new Set(forms.filter((form) => form.length >= shortestForm))];
}

/** Base64 and base64url of the value wherever it begins in what was encoded, e.g. behind `user:`. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    // Characters that bytes before or behind have a part in are left out.
    const whole = padded.toString("base64").slice(Math.ceil((before * 4) / 3), Math.floor((padded.length * 4) / 3));
    return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
