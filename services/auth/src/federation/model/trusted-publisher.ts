/** A workflow that may publish one plugin, in the name of a user or service account. */
export interface TrustedPublisher {
  readonly _id: string;
  /** Name of a plugin, which need not exist yet. */
  readonly plugin: string;
  /** Of the plugin's name, without @: the organisation whose owners see and delete it; absent where it has none. */
  readonly namespace?: string | undefined;
  readonly issuer: string;
  /** As a list, since names of claims are no names of fields. */
  readonly claims: readonly PinnedClaim[];
  /** User id of whom it publishes as. */
  readonly publishesAs: number;
  /** User id of whoever configured it. */
  readonly createdBy: number;
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
}

/** A claim that the ID token must carry with this very value. */
export type PinnedClaim = {
  readonly name: string;
  readonly value: string;
};
