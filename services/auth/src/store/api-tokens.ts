import type { Collection, Documents } from "@registry/documents";
import type { ApiToken } from "../model/api-token.ts";

export type ApiTokens = Collection<ApiToken>;

export function openApiTokens(documents: Documents): Promise<ApiTokens> {
  return documents.collection<ApiToken>({
    name: "tokens",
    indexes: [
      { name: "hash", keys: [["hash", 1]], unique: true },
      { name: "user_id", keys: [["userId", 1]] },
      { name: "publisher_id", keys: [["publisherId", 1]] },
      {
        name: "kind",
        keys: [
          ["kind", 1],
          ["expiresAt", 1],
        ],
      },
    ],
  });
}
