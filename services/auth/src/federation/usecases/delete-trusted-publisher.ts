import { notFound } from "@registry/domain";
import { mayManage } from "../model/publisher-access.ts";
import type { UseCase } from "../parts.ts";
import { publisherNote, toPublisherMessage } from "../publisher-wire.ts";

/** Its tokens end with it. */
export const deleteTrustedPublisher: UseCase<"deleteTrustedPublisher"> = (parts) => async (request, context) => {
  const publisher = await parts.publishers.findOne({ _id: request.id });
  if (publisher === null || !mayManage(context.caller, publisher)) {
    throw notFound("TRUSTED_PUBLISHER_NOT_FOUND", "Trusted publisher not found");
  }
  const before = publisherNote(await toPublisherMessage(parts, publisher));
  context.audit({ target: publisher.plugin, organisation: publisher.namespace, before });
  await parts.withdraw(async () => {
    await parts.publishers.deleteOne({ _id: publisher._id });
    await parts.apiTokens.deleteMany({ publisherId: publisher._id });
  });
  return {};
};
