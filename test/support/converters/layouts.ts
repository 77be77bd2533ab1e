/** The layout in which a program writes the JSON of a manifest. */
export interface Layout {
  readonly name: string;
  /** Indent per level; "" for compact text. */
  readonly indent: string;
  readonly lineBreak: '\n' | '\r\n';
  readonly end: string;
  readonly manifest: readonly string[];
  readonly descriptor: readonly string[];
}

const usual = { lineBreak: '\n', end: '' } as const;
const docker = ['schemaVersion', 'mediaType', 'config', 'layers'];

/** Layouts by the program that writes them, and some valid layouts that no known program writes. */
export const layouts: readonly Layout[] = [
  { name: 'Docker', indent: '   ', ...usual, manifest: docker, descriptor: ['mediaType', 'size', 'digest'] },
  { name: 'BuildKit', indent: '  ', ...usual, manifest: docker, descriptor: ['mediaType', 'digest', 'size'] },
  { name: 'skopeo', indent: '', ...usual, manifest: docker, descriptor: ['mediaType', 'size', 'digest'] },
  { name: 'buildah', indent: '', ...usual, manifest: docker, descriptor: ['mediaType', 'digest', 'size'] },
  {
    name: 'umoci',
    indent: '',
    ...usual,
    end: '\n',
    manifest: docker,
    descriptor: ['mediaType', 'digest', 'size'],
  },
  {
    name: 'jib',
    indent: '',
    ...usual,
    manifest: ['schemaVersion', 'mediaType', 'config', 'layers'],
    descriptor: ['mediaType', 'digest', 'size'].toReversed(),
  },
  {
    name: 'sorted keys',
    indent: '    ',
    ...usual,
    end: '\n',
    manifest: docker.toSorted(),
    descriptor: ['digest', 'mediaType', 'size'],
  },
  {
    name: 'tabs',
    indent: '\t',
    ...usual,
    manifest: docker.toReversed(),
    descriptor: ['size', 'digest', 'mediaType'],
  },
  {
    name: 'CRLF',
    indent: '  ',
    lineBreak: '\r\n',
    end: '\r\n',
    manifest: docker,
    descriptor: ['mediaType', 'size', 'digest'],
  },
];

type Members = Readonly<Record<string, unknown>>;

/** Writes a manifest and its descriptors in a layout. Members that the layout does not name come last. */
export function layOut(layout: Layout, manifest: Members): Uint8Array {
  const { config, layers, ...rest } = manifest;
  const ordered = order(layout.manifest, {
    ...rest,
    config: order(layout.descriptor, config as Members),
    layers: (layers as readonly Members[]).map((each) => order(layout.descriptor, each)),
  });
  const text = JSON.stringify(ordered, null, layout.indent).replaceAll('\n', layout.lineBreak);
  return new TextEncoder().encode(text + layout.end);
}

function order(keys: readonly string[], members: Members): Members {
  const known = keys.filter((key) => key in members).map((key) => [key, members[key]]);
  return Object.fromEntries([...known, ...Object.entries(members).filter(([key]) => !keys.includes(key))]);
}
