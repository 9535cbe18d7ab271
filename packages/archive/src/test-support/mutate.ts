/** A small seeded generator (mulberry32): a failing run can be repeated from its seed. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const interesting = [0, 1, 2, 8, 20, 46, 0x7f, 0x80, 0xff, 0x0808, 0x7fff, 0xffff, 0x504b, 0x7fffffff, 0xffffffff];

type Random = (below: number) => number;

/** Changes a copy in one to three places, `hot` offsets (headers) more often than others. */
export function mutate(bytes: Buffer, hot: readonly number[], random: Random): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let changes = 1 + random(3); changes > 0; changes--) result = change(result, place(result, hot, random), random);
  return result;
}

function place(bytes: Buffer, hot: readonly number[], random: Random): number {
  const near = hot.length > 0 && random(4) > 0 ? (hot[random(hot.length)] ?? 0) + random(64) : random(bytes.length);
  return Math.min(near, Math.max(0, bytes.length - 5));
}

function change(bytes: Buffer, at: number, random: Random): Buffer {
  const value = interesting[random(interesting.length)] ?? 0;
  const length = 1 + random(40);
  switch (random(8)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      return bytes;
    case 1:
      bytes[at] = random(256);
      return bytes;
    case 2:
      bytes.writeUInt16LE(value & 0xffff, at);
      return bytes;
    case 3:
      bytes.writeUInt32LE(value, at);
      return bytes;
    case 4:
      bytes.writeUInt32LE((bytes.readUInt32LE(at) + random(5) - 2) >>> 0, at);
      return bytes;
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 6:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    default:
      bytes.copyWithin(at, random(bytes.length), random(bytes.length));
      return bytes;
  }
}

/** Every offset at which `needle` begins. */
export function offsetsOf(bytes: Buffer, needle: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(needle, 0, "latin1"); at !== -1; at = bytes.indexOf(needle, at + 1, "latin1"))
    found.push(at);
  return found;
}
