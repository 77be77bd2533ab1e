import { expect, it } from 'vitest';
import { mediaTypes } from '../../../converters/media-types.ts';
import { formName, formPhrase, phraseOfForm } from '../../../src/negotiation/format-names.ts';

it.each([
  [mediaTypes.schema1, 'schema1', 'a schema 1 manifest', 'schema 1 manifest'],
  [mediaTypes.schema1Signed, 'schema1', 'a schema 1 manifest', 'schema 1 manifest'],
  [mediaTypes.schema2, 'schema2', 'a Docker schema 2 manifest', 'Docker schema 2 manifest'],
  [mediaTypes.dockerList, 'list', 'a Docker manifest list', 'Docker manifest list'],
  [mediaTypes.ociManifest, 'oci', 'an OCI manifest', 'OCI manifest'],
  [mediaTypes.ociIndex, 'oci-index', 'an OCI index', 'OCI index'],
  [mediaTypes.generic, 'generic', 'a generic manifest', 'generic manifest'],
])('%s is %s in a word and %s in a sentence', (mediaType, word, phrase, bare) => {
  expect([formName(mediaType), formPhrase(mediaType), phraseOfForm(word)]).toEqual([word, phrase, bare]);
});

it('an unknown type stands for itself', () => {
  expect(formName('text/plain')).toBe('text/plain');
  expect(formPhrase('text/plain')).toBe('a manifest of type text/plain');
  expect(phraseOfForm('other')).toBe('other');
});
