import { changeTypes, orgNamePattern, pluginNamePattern } from "@registry/domain";
import { z } from "zod";
import { plainText, shortText } from "./input.ts";

const mostPlugins = 50;
const namespacePattern = `@${orgNamePattern.slice(1, -1)}/\\*`;

export const webhookUrl = shortText(2048)
  .meta({ pattern: "^https?://[^/?#@\\s]+(?:[/?][^#\\s]*)?$" })
  .describe(
    "https, without credentials or a fragment in it, and no address in a private network; networks that the registry was told to allow may be private, and http",
  );

export const webhookDescription = plainText(0, 1000, "expected a text of at most 1000 characters");

export const webhookEvents = z
  .array(z.enum(changeTypes, { error: `expected one of ${changeTypes.join(", ")}` }))
  .max(changeTypes.length)
  .describe("Types of events to be told of; absent or empty: all");

export const webhookPlugins = z
  .array(shortText(130).meta({ pattern: `^(?:${pluginNamePattern.slice(1, -1)}|${namespacePattern})$` }))
  .max(mostPlugins, `more than ${mostPlugins} of them`)
  .describe("Names, or `@namespace/*`, to be told of; absent or empty: all that its owner may see");

const base64 = "[A-Za-z0-9+/]";
/** `whsec_` and base64 of 24 to 64 bytes. */
const secretPattern = `^whsec_(?:(?:${base64}{4}){8,21}(?:${base64}[AQgw]==)?|(?:${base64}{4}){8,20}${base64}{2}[AEIMQUYcgkosw048]=)$`;

export const webhookSecret = shortText(100)
  .meta({ pattern: secretPattern })
  .describe("`whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks has it; absent: one is made");
