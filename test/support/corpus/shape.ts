import type { CorpusImage } from './corpus.ts';

/** Objects whose keys are a user's choice, so that they do not make another shape. */
const freeKeys = new Set(['Labels', 'ExposedPorts', 'Volumes']);

/** Members whose value belongs to the shape: what a reader decides by. */
const decisive = new Set(['mediaType', 'artifactType', 'schemaVersion']);

/**
 * The shape of a JSON document: its paths with the type of each value, and the media types. All entries of an array
 * are one path. The JSON in `v1Compatibility` belongs to the document.
 */
export function shapeOf(value: unknown): string {
  const paths = new Set<string>();
  visit(value, '$', '', paths);
  return [...paths].sort().join('\n');
}

function visit(value: unknown, path: string, key: string, paths: Set<string>): void {
  if (Array.isArray(value)) {
    paths.add(`${path} array`);
    for (const each of value) visit(each, `${path}[]`, key, paths);
  } else if (typeof value === 'object' && value !== null) {
    paths.add(`${path} object`);
    for (const [name, member] of Object.entries(value)) {
      const shown = freeKeys.has(key) ? '*' : name;
      visit(name === 'v1Compatibility' ? JSON.parse(member) : member, `${path}.${shown}`, name, paths);
    }
  } else {
    paths.add(`${path} ${decisive.has(key) ? String(value) : value === null ? 'null' : typeof value}`);
  }
}

/** A manifest, index or config of the corpus. */
export interface CorpusDocument {
  readonly tool: string;
  readonly name: string;
  readonly digest: string;
  readonly shape: string;
}

/** The JSON documents of an image: its manifests and indexes, and their configs. */
export function documentsOf({ tool, name, built }: CorpusImage): CorpusDocument[] {
  const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
  return [...built.manifests].flatMap(([digest, { bytes }]) => {
    const manifest = parse(bytes);
    const documents = [{ tool, name, digest, shape: shapeOf(manifest) }];
    const config = built.blobs.get(manifest.config?.digest);
    if (config) documents.push({ tool, name, digest: manifest.config.digest, shape: shapeOf(parse(config)) });
    return documents;
  });
}
