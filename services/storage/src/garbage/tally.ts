/** What a collection did, or in a dry run would do. */
export interface Tally {
  examinedBlobs: number;
  markedBlobs: number;
  deletedBlobs: number;
  deletedUploads: number;
  freedBytes: number;
}

export const newTally = (): Tally => ({
  examinedBlobs: 0,
  markedBlobs: 0,
  deletedBlobs: 0,
  deletedUploads: 0,
  freedBytes: 0,
});

/** The items in groups of at most `size`. */
export async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
