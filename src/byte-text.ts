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

const unitLetters = ['k', 'm', 'g', 't'];

/** Bytes by unit: those of IEC 80000-13, in any case of letters. */
const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  ...Object.fromEntries(unitLetters.map((letter, at) => [`${letter}b`, 1000 ** (at + 1)])),
  ...Object.fromEntries(unitLetters.map((letter, at) => [`${letter}ib`, 1024 ** (at + 1)])),
};

/** The form of the texts that `parseBytes` reads, for a JSON Schema. */
export const bytesPattern = '^[0-9]+((\\.[0-9]+)? ?([KkMmGgTt][Ii]?)?[Bb])?$';

/**
 * Parses a number of bytes as a person writes it: `500`, `10GB` (10 × 1000³), `1.5 GiB`.
 * @returns NaN for other text, and for a part of a byte. A large number may be no safe integer.
 */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = number === '' ? Number.NaN : Number(number) * (byteUnits[unit.toLowerCase()] ?? Number.NaN);
  return Number.isInteger(bytes) ? bytes : Number.NaN;
}
