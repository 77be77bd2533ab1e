/**
 * A marker is a string that stands for one thing and occurs nowhere else: an answer that holds it tells of that thing.
 * The dots keep it apart from hex and base64, where it could occur by chance.
 */
export type MarkerKind = keyof typeof letters;

/** The letters of the markers. A `repository` marker is part of a name; only the registry knows a `project` marker. */
const letters = { repository: 'r', project: 'p', user: 'u', password: 'w', token: 't', image: 'i' } as const;

export interface Marker {
  readonly kind: MarkerKind;
  readonly index: number;
}

export function marker(kind: MarkerKind, index: number): string {
  return `zq.${letters[kind]}${index}.zq`;
}

const pattern = /zq\.([a-z])(\d+)\.zq/g;
const kinds = new Map<string, MarkerKind>(
  Object.entries(letters).map(([kind, letter]) => [letter, kind as MarkerKind]),
);

/** The different markers in a text. */
export function markersIn(text: string): Marker[] {
  const texts = new Set(text.match(pattern) ?? []);
  return [...texts].flatMap((each) => {
    const [, letter = '', index = ''] = new RegExp(pattern.source).exec(each) ?? [];
    const kind = kinds.get(letter);
    return kind ? [{ kind, index: Number(index) }] : [];
  });
}

/** Bytes as text, one character a byte. The samples' layers are not compressed, so their markers are readable. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const digestPattern = /sha256:[0-9a-f]{64}/g;

export function digestsIn(text: string): string[] {
  return [...new Set(text.match(digestPattern) ?? [])];
}
