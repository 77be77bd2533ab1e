import { expect, it } from 'vitest';
import { mediaTypes } from '../../../converters/media-types.ts';
import { formName, formPhrase, phraseOfForm } from '../../../src/negotiation/format-names.ts';

it('a known type has a short and a long name', () => {
  const { ociIndex } = mediaTypes;
  expect([formName(ociIndex), formPhrase(ociIndex)]).toEqual(['oci-index', 'an OCI index']);
  expect([phraseOfForm('list'), phraseOfForm('oci')]).toEqual(['Docker manifest list', 'OCI manifest']);
});

it('an unknown type stands for itself', () => {
  expect(formName('text/plain')).toBe('text/plain');
  expect(formPhrase('text/plain')).toBe('a manifest of type text/plain');
  expect(phraseOfForm('other')).toBe('other');
});
