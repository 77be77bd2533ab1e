import { mediaTypes } from '../../converters/media-types.ts';

const names: Readonly<Record<string, readonly [short: string, long: string]>> = {
  [mediaTypes.schema1]: ['schema1', 'a schema 1 manifest'],
  [mediaTypes.schema1Signed]: ['schema1', 'a schema 1 manifest'],
  [mediaTypes.schema2]: ['schema2', 'a Docker schema 2 manifest'],
  [mediaTypes.dockerList]: ['list', 'a Docker manifest list'],
  [mediaTypes.ociManifest]: ['oci', 'an OCI manifest'],
  [mediaTypes.ociIndex]: ['oci-index', 'an OCI index'],
  [mediaTypes.generic]: ['generic', 'a generic manifest'],
};

/** The name of a manifest type in one word, for headers and logs; the type itself if it is unknown. */
export function formName(mediaType: string): string {
  return names[mediaType]?.[0] ?? mediaType;
}

/** The words for a form by its short name, without an article: `Docker manifest list` for `list`. */
export function phraseOfForm(form: string): string {
  const phrase = Object.values(names).find(([short]) => short === form)?.[1];
  return phrase?.replace(/^an? /, '') ?? form;
}

/** The name of a manifest type within a sentence for people. */
export function formPhrase(mediaType: string): string {
  return names[mediaType]?.[1] ?? `a manifest of type ${mediaType}`;
}
