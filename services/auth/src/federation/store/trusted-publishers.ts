import type { Collection, Documents } from "@registry/documents";
import type { TrustedPublisher } from "../model/trusted-publisher.ts";

export type TrustedPublishers = Collection<TrustedPublisher>;

export function openTrustedPublishers(documents: Documents): Promise<TrustedPublishers> {
  return documents.collection<TrustedPublisher>({
    name: "trusted_publishers",
    indexes: [
      { name: "plugin", keys: [["plugin", 1]] },
      { name: "namespace", keys: [["namespace", 1]] },
      { name: "created_at", keys: [["createdAt", 1]] },
      { name: "created_by", keys: [["createdBy", 1]] },
    ],
  });
}
