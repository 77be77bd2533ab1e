import { expect, it } from 'vitest';
import { mediaTypes, readManifest } from '../../../../converters/index.ts';
import type { RepositoryName } from '../../../../converters/reference.ts';
import { convertPushed, targetFormsOf } from '../../../../src/registry/manifests/target-forms.ts';
import { diffIdOf, MemoryRegistry } from '../../../support/converters/memory-registry.ts';

const registry = new MemoryRegistry();
const image = registry.read(registry.image('a', 'amd64', mediaTypes.ociLayerZstd));

async function layersIn(form: 'oci' | 'schema2') {
  const { body } = await convertPushed(image, form, 'team/app' as RepositoryName, registry.context.ports);
  return readManifest(body).dependencies.map(({ digest }) => digest);
}

it('a registry that takes schema 2 alone gets decompressed layers, and one that takes OCI the pushed ones', async () => {
  expect(await layersIn('schema2')).toEqual([diffIdOf('a')]);
  expect(await layersIn('oci')).toEqual(image.dependencies.map(({ digest }) => digest));
});

it('a manifest is stored in a form that is not its own', () => {
  expect(targetFormsOf(image)).toEqual(['schema2']);
  const generic = { ...image, source: { ...image.source, dialect: 'generic' } } as typeof image;
  const docker = { ...image, source: { ...image.source, dialect: 'schema2' } } as typeof image;
  expect([targetFormsOf(docker), targetFormsOf(generic)]).toEqual([['oci'], ['oci', 'schema2']]);
});
