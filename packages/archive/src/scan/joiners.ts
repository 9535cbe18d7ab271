/** Scripts whose letters are joined, or kept apart, by U+200C and U+200D. */
const joining =
  /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}\p{scx=Thaa}\p{scx=Adlm}\p{scx=Thai}\p{scx=Laoo}]/u;
const letter = /[\p{L}\p{M}]/u;
const emojiBefore = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)$/u;
const emojiAfter = /^\p{Extended_Pictographic}/u;

/** Whether the joiner (U+200C or U+200D) at `index` belongs to an emoji sequence or to a script that writes with it. */
export function isJoinerNeeded(text: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - 2), index);
  const after = text.slice(index + 1, index + 3);
  if (emojiBefore.test(before) && emojiAfter.test(after)) return true;
  const last = [...before].at(-1) ?? "";
  return letter.test(last) && joining.test(last);
}
