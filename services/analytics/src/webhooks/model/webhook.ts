import {
  type ChangeType,
  changeTypes,
  invalid,
  isChangeType,
  isLongerThan,
  isPlainText,
  isPluginName,
  notFound,
  plainTextRule,
  quote,
  type RegistryError,
} from "@registry/domain";
import type { Told } from "../../changes/model/change.ts";

/** `active`, `paused` by hand, or disabled: `failing`, for too long, or `gone`, as its receiver said. */
type WebhookState = "active" | "paused" | "failing" | "gone";

/** Whose a webhook is, and by whose rights it is told: those of the user, or of the organisation. */
export type Owner =
  | { readonly type: "user"; readonly id: number; readonly username: string }
  | { readonly type: "organisation"; readonly name: string };

export type OldSecret = { readonly sealed: string; readonly until: Date };

/** A type alias, so that it is a value of the document store. */
export type Webhook = {
  readonly _id: string;
  readonly ownerKey: string;
  /** The owner's how manieth: no two have the same, and none is over the limit. */
  readonly slot: number;
  /** Of a user. */
  readonly userId?: number;
  readonly username?: string;
  readonly org?: string;
  readonly url: string;
  readonly description: string;
  /** Empty: all. */
  readonly events: readonly ChangeType[];
  /** Names, or `@namespace/*`; empty: all. */
  readonly plugins: readonly string[];
  readonly state: WebhookState;
  /** Place in the feed: what comes after it is told. */
  readonly from: number;
  /** Sealed. */
  readonly secret: string;
  /** Sealed, latest first; each signs beside the new one until then. */
  readonly oldSecrets?: readonly OldSecret[];
  /** Since when nothing but failures came back. */
  readonly failingSince?: Date;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Not after the first of its deliveries is due; absent where none is pending. */
  readonly dueAt?: Date;
  /** Goes up whenever something becomes due. */
  readonly wakes: number;
  /** As its receiver asked for. */
  readonly restUntil?: Date;
  /** The replica that works on its deliveries. */
  readonly worker: string;
  readonly leasedUntil: Date;
};

export const ownerKeyOf = (owner: Owner): string =>
  owner.type === "user" ? `user ${owner.id}` : `organisation ${owner.name}`;

export function ownerOf({ org, userId = 0, username = "" }: Webhook): Owner {
  return org === undefined ? { type: "user", id: userId, username } : { type: "organisation", name: org };
}

/** Whether the webhook asks for this. Whether it may know is another question. */
export function wants({ events, plugins, from }: Webhook, change: Told & { readonly _id: number }): boolean {
  if (change._id <= from) return false;
  if (events.length > 0 && !events.includes(change.type)) return false;
  return plugins.length === 0 || plugins.some((pattern) => fits(pattern, change.plugin));
}

function fits(pattern: string, plugin: string): boolean {
  return pattern.endsWith("/*") ? plugin.startsWith(pattern.slice(0, -1)) : plugin === pattern;
}

const maxDescription = 1000;
const maxPlugins = 50;

/** @throws `invalid_argument`, reason `INVALID_DESCRIPTION` */
export function parseDescription(text: string): string {
  if (isLongerThan(text, maxDescription)) {
    throw invalid("INVALID_DESCRIPTION", `description: at most ${maxDescription} characters`, "/description");
  }
  if (isPlainText(text)) return text;
  throw invalid("INVALID_DESCRIPTION", `description: ${plainTextRule}`, "/description");
}

/** @throws `invalid_argument`, reason `INVALID_EVENTS` */
export function parseEvents(texts: readonly string[]): ChangeType[] {
  const bad = texts.findIndex((text) => !isChangeType(text));
  if (bad >= 0) {
    const message = `events: ${quote(texts[bad] ?? "")} is none; use ${changeTypes.join(", ")}, or none for all`;
    throw invalid("INVALID_EVENTS", message, `/events/${bad}`);
  }
  return [...new Set(texts.filter(isChangeType))];
}

/** @throws `invalid_argument`, reason `INVALID_PLUGINS` */
export function parsePlugins(texts: readonly string[]): string[] {
  if (texts.length > maxPlugins) throw invalid("INVALID_PLUGINS", `plugins: at most ${maxPlugins}`, "/plugins");
  const bad = texts.findIndex((text) => !isPattern(text));
  if (bad < 0) return [...new Set(texts)];
  const message = `plugins: ${quote(texts[bad] ?? "")} is neither a plugin's name nor @namespace/*`;
  throw invalid("INVALID_PLUGINS", message, `/plugins/${bad}`);
}

function isPattern(text: string): boolean {
  return isPluginName(text) || (/^@[^/]+\/\*$/.test(text) && isPluginName(`${text.slice(0, -1)}a`));
}

/** The same for what is not there and for what is somebody else's. */
export const webhookNotFound = (): RegistryError => notFound("WEBHOOK_NOT_FOUND", "Webhook not found");
