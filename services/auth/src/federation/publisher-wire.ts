import type { TrustedPublisher as TrustedPublisherMessage } from "@registry/contracts/federation";
import type { TrustedPublisher } from "./model/trusted-publisher.ts";
import type { FederationParts } from "./parts.ts";

/** As answers show them, with usernames for ids. */
export async function toPublisherMessages(
  parts: FederationParts,
  publishers: readonly TrustedPublisher[],
): Promise<TrustedPublisherMessage[]> {
  const ids = [...new Set(publishers.flatMap(({ publishesAs, createdBy }) => [publishesAs, createdBy]))];
  const users = ids.length === 0 ? [] : await parts.users.find({ _id: { $in: ids } }, { fields: ["username"] });
  const names = new Map(users.map(({ _id, username }) => [_id, username]));
  return publishers.map((publisher) => ({
    id: publisher._id,
    plugin: publisher.plugin,
    issuer: publisher.issuer,
    claims: claimsOf(publisher),
    publishesAs: names.get(publisher.publishesAs) ?? "",
    createdBy: names.get(publisher.createdBy) ?? "",
    createdAt: publisher.createdAt,
    lastUsedAt: publisher.lastUsedAt,
  }));
}

export async function toPublisherMessage(
  parts: FederationParts,
  publisher: TrustedPublisher,
): Promise<TrustedPublisherMessage> {
  const [message] = await toPublisherMessages(parts, [publisher]);
  if (message === undefined) throw new TypeError("one publisher came to no message");
  return message;
}

export function claimsOf({ claims }: Pick<TrustedPublisher, "claims">): Record<string, string> {
  return Object.fromEntries(claims.map(({ name, value }) => [name, value]));
}

/** What the audit log keeps of one. */
export function publisherNote({ id, plugin, issuer, claims, publishesAs }: TrustedPublisherMessage): object {
  return { id, plugin, issuer, claims, publishes_as: publishesAs };
}
