/** A token or an answer that does not hold. Its text is for the log of the registry alone; callers are told nothing. */
export class Refused extends Error {
  override readonly name = "Refused";
}
