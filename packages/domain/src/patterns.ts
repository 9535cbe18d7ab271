/**
 * The rules of form of this package as patterns, for those who have to be told them before they send anything. Each is
 * one for ECMAScript, Python and Rust alike, and anchored; a test holds them against the rules.
 */
const part = (most: number): string => `[a-z0-9](?:[a-z0-9.-]{0,${most - 2}}[a-z0-9])?`;
const noneTwice = "(?!.*(?:--|\\.\\.))";

/** Reserved names fit as well; where a plugin is looked for, they are not found. */
export const pluginNamePattern = `^${noneTwice}(?:@${part(64)}/)?${part(64)}$`;
export const orgNamePattern = `^${noneTwice}${part(39)}$`;
export const teamNamePattern = "^[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?$";
export const digestPattern = "^[0-9a-f]{64}$";
export const channelPattern = "^[a-z][a-z0-9-]{0,31}$";

const number = "(?:0|[1-9][0-9]{0,14})";
const identifier = "(?:0|[1-9][0-9]{0,14}|[0-9]{0,14}[A-Za-z-][0-9A-Za-z-]{0,30})";
const prerelease = `-${identifier}(?:\\.${identifier}){0,5}`;

/** Of an exact version, which has at most 64 characters besides. */
export const versionPattern = `^${number}\\.${number}\\.${number}(?:${prerelease})?$`;

const partial = `v?${number}(?:\\.(?:${number}(?:\\.(?:${number}(?:${prerelease})?|[xX]))?|[xX](?:\\.[xX])?))?`;
const comparator = `(?:(?:[<>]=?|[~^=]) ?)?${partial}`;
const range = `(?:[*xX]|${partial} - ${partial}|${comparator}(?: ${comparator}){0,7})`;

/** A version, a range as people write them (npm knows a few more spellings) or a channel, at most 128 characters long. */
export const versionSpecPattern = `^(?:${range}(?: ?\\|\\| ?${range}){0,7}|[a-z][a-z0-9-]{0,31})$`;

/** What shows as what it is, in lines of any number; see `isPlainText`. */
const turning = "\\u202A-\\u202E\\u2066-\\u2069";
const unplain = `\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F${turning}`;
const blank = "\\t-\\r \\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uFEFF";
export const plainTextPattern = `^[^${unplain}]*$`;
/** The same, and not all of it blank. */
export const saidTextPattern = `^[^${unplain}]*[^${unplain}${blank}][^${unplain}]*$`;

const unplainInLine = `\\u0000-\\u001F\\u007F-\\u009F${turning}`;
/** One line of that. */
export const saidLinePattern = `^[^${unplainInLine}]*[^${unplainInLine}${blank}][^${unplainInLine}]*$`;

/** Upper case counts as lower case. */
export const usernamePattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{1,38}$";

/** Characters that do not show, beside those above. */
const unseen = "\\u00AD\\u061C\\u180E\\u200B-\\u200F\\u2060-\\u206F\\uFFF9-\\uFFFB\u{E0000}-\u{E0FFF}";
const inAddress = `[^@${unplainInLine}${blank}${unseen}]`;
/** No more than what tells an address from what is none; it has at most 254 characters. */
export const emailPattern = `^${inAddress}{1,64}@${inAddress}{1,189}$`;
