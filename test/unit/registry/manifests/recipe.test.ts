import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { manifestRecipe } from '../../../../src/registry/manifests/recipe.ts';

const digest = digestOf(new Uint8Array());
type Parts = Parameters<typeof manifestRecipe>[0];
const recipe = (parts: Partial<Parts>) =>
  manifestRecipe({
    source: digest,
    sourceType: mediaTypes.ociIndex,
    root: digest,
    kind: 'index',
    form: 'oci',
    tag: 'latest',
    unpackZstd: false,
    layersOf: 'linux/amd64',
    ...parts,
  });

describe('one product has one recipe', () => {
  it('an index that only loses its attestations is the same for all clients and platforms', () => {
    const alone = recipe({ dropAttestations: 'alone' });
    const other = { unpackZstd: true, layersOf: 'linux/arm64', flatten: true, preferGzip: true } as const;
    expect(recipe({ dropAttestations: 'alone', ...other, tag: 'other' })).toEqual(alone);
    expect(alone).toMatchObject({ dropAttestations: 'alone', unpackZstd: false, layersOf: '' });
  });

  it.each<Partial<Parts>>([
    { form: 'schema2' },
    { form: 'generic' },
    { unpackZstd: true },
    { kind: 'image' },
  ])('%o has no attestations anyway', (parts) => {
    expect(recipe({ ...parts, dropAttestations: 'also' })).toEqual(recipe(parts));
  });

  it('an OCI index that is converted keeps them, unless they are dropped, too', () => {
    expect(recipe({ dropAttestations: 'also' })).not.toEqual(recipe({}));
  });
});
