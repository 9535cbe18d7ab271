/** Inclusive range of code points, or a single one. */
type Range = readonly [first: number, last?: number];

/** The inside of a character class for the flag `u`, written by number since nobody could see the characters. */
function inside(ranges: readonly Range[]): string {
  const written = (point: number): string => `\\u{${point.toString(16)}}`;
  return ranges.map(([first, last = first]) => `${written(first)}-${written(last)}`).join("");
}

export const directionControls = inside([
  [0x202a, 0x202e],
  [0x2066, 0x2069],
]);
export const controls = inside([[0x00, 0x08], [0x0b], [0x0e, 0x1f], [0x7f, 0x9f]]);
export const joiners = inside([[0x200c, 0x200d]]);
/** Zero-width characters and letters without a shape, joiners apart. */
export const fillers = inside([
  [0xad],
  [0x115f, 0x1160],
  [0x180e],
  [0x200b],
  [0x2060, 0x2064],
  [0x3164],
  [0xfeff],
  [0xffa0],
]);
export const selectors = inside([
  [0xfe00, 0xfe0f],
  [0xe0100, 0xe01ef],
]);
export const tags = inside([[0xe0000, 0xe007f]]);
/** Marks of direction are honest, but they too can split a word. */
export const directionMarks = inside([[0x200e, 0x200f], [0x61c]]);
