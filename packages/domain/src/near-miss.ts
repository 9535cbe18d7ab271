import { skeletonOf } from "./names.ts";

/** Shorter skeletons have too many honest neighbours. */
const shortest = 4;
/** From here on two slips of the finger still leave a name that is taken for the other. */
const long = 10;

/**
 * Whether one name is easily taken for another that it is not the same as: one slip away (two in long names; a letter
 * left out, added, changed or swapped with its neighbour), the same words in another order, or a namespace turned into
 * a prefix. Case, separators and look-alikes do not count as a difference; names that are numbered through are none.
 */
export function isNearMiss(name: string, other: string): boolean {
  const [a, b] = [bare(name), bare(other)];
  if (name === other || Math.min(a.length, b.length) < shortest || areNumbered(name, other)) return false;
  if (a === b || sortedWords(name) === sortedWords(other)) return true;
  const most = Math.min(a.length, b.length) >= long ? 2 : 1;
  return Math.abs(a.length - b.length) <= most && distance(a, b, most) <= most;
}

const bare = (name: string): string => skeletonOf(name).replace(/[@/]/g, "");

/** `step-1` and `step-2` are told apart by everybody. */
function areNumbered(name: string, other: string): boolean {
  const letters = (text: string): string => text.replace(/\d+/g, "#");
  return letters(name).includes("#") && letters(name) === letters(other);
}

const sortedWords = (name: string): string =>
  name
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
    .sort()
    .join(" ");

/** Optimal string alignment distance; once it is certain to exceed `most`, that plus one. */
function distance(a: string, b: string, most: number): number {
  let [older, old] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cell(a, b, i, j, { row, old, older }));
    if (Math.min(...row) > most) return most + 1;
    [older, old] = [old, row];
  }
  return old[b.length] ?? most + 1;
}

interface Rows {
  readonly row: readonly number[];
  readonly old: readonly number[];
  readonly older: readonly number[];
}

function cell(a: string, b: string, i: number, j: number, { row, old, older }: Rows): number {
  const at = (line: readonly number[], index: number): number => line[index] ?? Number.POSITIVE_INFINITY;
  const changed = at(old, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const best = Math.min(at(old, j) + 1, at(row, j - 1) + 1, changed);
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(best, at(older, j - 2) + 1) : best;
}
