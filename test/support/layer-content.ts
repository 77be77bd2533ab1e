/** Returns words in a fixed order, with many repetitions from far back, as in a file system. */
export function layerContent(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let seed = 62_993;
  const next = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed >>> 16;
  };
  for (let at = 0; at < length; ) {
    const [piece, from] = [next() % 3000, at > 5000 ? next() % (at - 4000) : 0];
    if (at < 1500 || next() % 12 === 0)
      for (let end = at + 40; at < end && at < length; at += 1) bytes[at] = 97 + (next() % 16);
    else
      for (let index = 0; index < piece && at < length; index += 1, at += 1)
        bytes[at] = bytes[from + index] ?? 0;
  }
  return bytes;
}
