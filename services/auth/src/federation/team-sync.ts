/** Keeps teams of organisations as the identity provider's groups say. */
export interface TeamSync {
  /**
   * The user, who has just signed in, joins every team that names one of the groups, and leaves those where a group had
   * brought it that does so no longer. What was given by hand stays.
   * @param groups all of the user's, as of now
   */
  follow(userId: number, groups: readonly string[]): Promise<void>;
}
