import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CallOptions } from "@registry/kit";
import { bearer, type Replica, type Store } from "../../testing/harness.ts";

/** Somebody who calls. */
export interface Person {
  readonly username: string;
  readonly id: number;
  /** API token. */
  readonly secret: string;
  readonly as: CallOptions;
}

/** Who takes part in a story on one store. */
export interface People {
  readonly admin: CallOptions;
  /** A new user with the rights of a publisher, under a name that begins like this. */
  person(stem?: string, role?: string): Promise<Person>;
  /** A name that nobody has, and that looks like nobody's. */
  name(stem?: string): string;
}

export async function people(store: Store, replica: Replica): Promise<People> {
  const admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
  let made = 0;
  // Letters that look like no other one's and no digits, so that names tell apart by their skeletons.
  const name = (stem = "acme"): string => {
    made += 1;
    return `${stem}-${Array.from(String(made), (digit) => "abcdefghkt"[Number(digit)]).join("")}x`;
  };
  return {
    admin,
    name,
    async person(stem = "person", role = "publisher") {
      const username = name(stem);
      const password = "correct horse";
      const { user } = await replica.auth.createUser({ username, password, role }, admin);
      const { token } = await replica.auth.login({ username, password });
      const { secret } = await replica.auth.createApiToken({ name: "test" }, bearer(token));
      return { username, id: user?.id ?? 0, secret, as: bearer(secret) };
    },
  };
}
