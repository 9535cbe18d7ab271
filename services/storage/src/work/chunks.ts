/** Small chunks cost a message each, large ones memory for each reader. */
export const chunkBytes = 256 * 1024;

/** The same bytes in chunks of `size`, the last one shorter; nothing is read before it is asked for. */
export async function* inChunks(source: AsyncIterable<Buffer>, size = chunkBytes): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const part of source) {
    parts.push(part);
    held += part.length;
    if (held < size) continue;
    const all = parts.length === 1 ? part : Buffer.concat(parts, held);
    let start = 0;
    for (; start + size <= held; start += size) yield all.subarray(start, start + size);
    parts = start < held ? [all.subarray(start)] : [];
    held -= start;
  }
  if (held > 0) yield parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, held);
}
