/** Words that nobody's random characters spell, but that people write where a secret would stand. */
const words =
  /example|sample|dummy|placeholder|change_?me|your[_-]?|fake|redacted|replace|insert|secret_?here|todo|foobar|hunter2|test|xxx|\.\.\.|\*\*\*|1234567|abcdefg|<|>|\$\{|\{\{|%[a-z_]/i;

/** Shannon entropy in bits for each character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / text.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}

/** Whether a text is there to be replaced by a secret rather than being one: a telling word, or too little variety. */
export function isPlaceholder(text: string, leastEntropy = 3): boolean {
  return words.test(text) || /(.)\1{5}/.test(text) || entropyOf(text) < leastEntropy;
}
