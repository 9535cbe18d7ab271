import {
  channelPattern,
  emailPattern,
  grantPattern,
  orgNamePattern,
  pluginNamePattern,
  saidLinePattern,
  teamNamePattern,
  usernamePattern,
  versionPattern,
  versionSpecPattern,
} from "@registry/domain";
import type { z } from "zod";
import { shortText } from "./input.ts";

/** Longer than whatever a service may take. */
const longest = 512;

/** A text in a body whose form a service judges, with a reason of its own: here it is told and not asked for. */
function told(most: number, pattern: string): z.ZodString {
  return shortText(longest).meta({ maxLength: most, pattern });
}

/** The same, or nothing. */
export const orEmpty = (pattern: string): string => `^(?:${pattern.slice(1, -1)})?$`;

/** A word in whatever case. */
const caseless = (word: string): string =>
  Array.from(word, (c) => (/[a-z]/.test(c) ? `[${c.toUpperCase()}${c}]` : c.replace(".", "\\."))).join("");

/** One of these words in whatever case, perhaps with what stands before it in the language that it was written in. */
export function wordPattern(words: readonly string[], prefix = ""): string {
  const before = prefix === "" ? "" : `(?:${caseless(prefix)})?`;
  return `^${before}(?:${words.map(caseless).join("|")})$`;
}

/** For a body: where one of its fields says this, others have to fit more. */
export function where(field: string, said: unknown, more: Readonly<Record<string, object>>) {
  return { anyOf: [{ not: { required: [field], properties: { [field]: { const: said } } } }, { properties: more }] };
}

const reservedUsernames = ["admin", "anonymous", "registry", "npm", "mirror"];

export const pluginName = told(130, pluginNamePattern);
export const orgName = told(39, orgNamePattern);
export const teamName = told(39, teamNamePattern);
export const username = told(39, usernamePattern);
/** Of somebody else than the caller, if anybody. */
export const usernameOrNone = told(39, orEmpty(usernamePattern));
export const newUsername = username.meta({ not: { pattern: wordPattern(reservedUsernames) } });
export const email = told(254, emailPattern);
/** For a user who needs none. */
export const emailOrNone = told(254, orEmpty(emailPattern));
/** As bcrypt and argon2id write them; more of argon2id's numbers are taken. */
export const passwordHash = told(
  256,
  "^(?:\\$2[aby]\\$(?:0[4-9]|1[0-4])\\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]|\\$argon2id\\$v=19\\$m=[1-9][0-9]{4},t=[1-9],p=[1-9]\\$[A-Za-z0-9+/]{21}[AQgw]\\$[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])$",
);
export const version = told(64, versionPattern);
export const right = told(150, grantPattern);
export const label = told(64, saidLinePattern);

const byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const hex = "[0-9A-Fa-f]{1,4}";
const ipv4 = `${byte}(?:\\.${byte}){3}(?:/(?:3[0-2]|[12]?[0-9]))?`;
const ipv6 = `(?:(?:${hex}:){7}${hex}|(?:${hex}:){1,7}:|(?:${hex}:){1,5}:${hex})(?:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?`;
/** IPv6 addresses have more spellings, which are taken as well. */
export const networkPattern = `^(?:${ipv4}|${ipv6})$`;
export const network = told(64, networkPattern);

/** What a path is made of. */
export const pathForms: Readonly<Record<string, { readonly description: string; readonly schema: object }>> = {
  name: {
    description: "Name of a plugin: `name` or `@namespace/name` (the slash may be written as %2F)",
    schema: { type: "string", maxLength: 130, pattern: pluginNamePattern },
  },
  version: {
    description: "Exact version; where a release is read also an npm range or a channel",
    schema: { type: "string", maxLength: 64, pattern: versionPattern },
  },
  file: {
    description: "`{name}-{version}.zip` or `{name}-{version}.tar.gz`",
    schema: { type: "string", minLength: 1, maxLength: 200, pattern: "^[A-Za-z0-9.-]+\\.(?:zip|tar\\.gz)$" },
  },
  path: { description: "Path of a file in the package", schema: { type: "string", minLength: 1, maxLength: 1024 } },
  channel: {
    description: "Name of a channel, e.g. `beta`",
    schema: { type: "string", maxLength: 32, pattern: channelPattern },
  },
  username: {
    description: "Name of a user",
    schema: { type: "string", maxLength: 39, pattern: usernamePattern },
  },
  id: {
    description: "Id of a token, a trusted publisher, a dead letter or a webhook",
    schema: { type: "string", minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9-]+$" },
  },
  delivery: {
    description: "Id of a delivery, as the header `webhook-id` has it",
    schema: { type: "string", minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_-]+$" },
  },
  org: { description: "Name of an organisation", schema: { type: "string", maxLength: 39, pattern: orgNamePattern } },
  team: {
    description: "Name of a team of the organisation",
    schema: { type: "string", maxLength: 39, pattern: teamNamePattern },
  },
};

/** Where a path may also ask for a range or a channel. */
export const versionSpecForm = { type: "string", minLength: 1, maxLength: 128, pattern: versionSpecPattern };
