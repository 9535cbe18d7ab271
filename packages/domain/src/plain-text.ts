/** Controls but newline and tab, what turns the direction of the text after it, and halves of characters. */
const forbidden = /(?![\n\t])\p{Cc}|[\u202A-\u202E\u2066-\u2069]|\p{Cs}/u;

/**
 * Whether a short text written by a person (a reason, a message) shows on a terminal and on a page as what it is: no
 * control characters other than newline and tab, no bidirectional controls, no lone surrogates. Length is not judged.
 */
export function isPlainText(text: string): boolean {
  return !forbidden.test(text);
}

/** The same for one line. */
export function isPlainLine(text: string): boolean {
  return isPlainText(text) && !/[\n\t]/.test(text);
}

/** What a refusal says after the name of its field. */
export const plainTextRule =
  "expected plain text: no control characters but newline and tab, no bidirectional controls, no lone surrogates";

/** Whether a text has more characters than these; one outside of the basic plane counts once, as people would. */
export function isLongerThan(text: string, most: number): boolean {
  return text.length > most && (text.length > 2 * most || Array.from(text).length > most);
}
