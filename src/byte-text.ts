/**
 * A number of bytes for a person, in decimal units, as docker and podman print them (docker/go-units, size.go,
 * `HumanSize`).
 */
export function byteText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** The size of a manifest, config or layer for a person. A small one is exact, to compare it with other tools. */
export function sizeText(bytes: number | undefined): string {
  if (bytes === undefined) return 'size unknown';
  return bytes < 10_000 ? `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'}` : byteText(bytes);
}
