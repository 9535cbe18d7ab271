/**
 * The header that has the address of the next page, where there is one.
 * @param path below the registry's root
 * @param asked what the list was asked for, beside the cursor; empty values are left out
 */
export function nextPage(
  origin: string,
  path: string,
  asked: Readonly<Record<string, string>>,
  cursor: string,
): Record<string, string> {
  if (cursor === "") return {};
  const said = Object.entries(asked).filter(([, value]) => value !== "");
  const query = new URLSearchParams([...said, ["cursor", cursor]]);
  return { link: `<${origin}${path}?${query}>; rel="next"` };
}
