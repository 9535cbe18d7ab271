import type { Filter } from "@registry/documents";
import { type Caller, isAdmin, parsePluginName } from "@registry/domain";
import { callerUser } from "../../usecases/caller-user.ts";
import { mayManage, ownedBy } from "../model/publisher-access.ts";
import type { TrustedPublisher } from "../model/trusted-publisher.ts";
import type { FederationParts, UseCase } from "../parts.ts";
import { toPublisherMessages } from "../publisher-wire.ts";

/** More than this are found plugin by plugin. */
const most = 1000;

/** Oldest first; of a plugin that others configured nothing is shown, as if there were none. */
export const listTrustedPublishers: UseCase<"listTrustedPublishers"> = (parts) => async (request, context) => {
  const user = await callerUser(parts, context);
  const plugin = request.plugin === "" ? undefined : parsePluginName(request.plugin, "/plugin");
  const found = await Promise.all(filtersFor(context.caller, user._id, plugin).map((filter) => find(parts, filter)));
  const distinct = new Map(found.flat().map((publisher) => [publisher._id, publisher]));
  const visible = [...distinct.values()]
    .filter((publisher) => mayManage(context.caller, publisher))
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
    .slice(0, most);
  return { publishers: await toPublisherMessages(parts, visible) };
};

function find(parts: FederationParts, filter: Filter): Promise<TrustedPublisher[]> {
  return parts.publishers.find(filter, { sort: [["createdAt", 1]], limit: most });
}

function filtersFor(caller: Caller, userId: number, plugin: string | undefined): Filter[] {
  const ofPlugin = plugin === undefined ? {} : { plugin };
  if (isAdmin(caller)) return [ofPlugin];
  const owned = ownedBy(caller);
  return [
    { createdBy: userId, ...ofPlugin },
    ...(owned.length === 0 ? [] : [{ namespace: { $in: owned }, ...ofPlugin }]),
  ];
}
