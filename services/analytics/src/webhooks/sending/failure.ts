/** Why there was no answer, in words that tell nothing of what was found on the way. */
export type FailureWord =
  | "timed out"
  | "connection failed"
  | "tls failed"
  | "name not found"
  | "address not allowed"
  | "secret unreadable";

export class DeliveryFailure extends Error {
  override readonly name = "DeliveryFailure";
  readonly word: FailureWord;

  constructor(word: FailureWord) {
    super(word);
    this.word = word;
  }
}
