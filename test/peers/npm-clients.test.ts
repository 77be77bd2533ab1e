import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { alice, startDockerRegistry } from '../support/docker-registry.ts';
import { azureClient, pullByAzure } from '../support/npm-clients/azure.ts';
import {
  getByDockerRegistryClient,
  pullByDockerRegistryClient,
  type ReadOptions,
} from '../support/npm-clients/docker-registry-client.ts';
import { attestationsBySnyk, pullBySnyk } from '../support/npm-clients/snyk.ts';
import { requirePackages } from '../support/npm-packages.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { pushShape } from '../support/push-shape.ts';
import { onBothSides, type SideBySide, startSecureSides, startSideBySide } from '../support/side-by-side.ts';
import { startTokenGate } from '../support/token-gate.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
const tags = ['1.0', 'latest'];
const samples = ['schema1', 'schema2', 'list', 'oci', 'oci-zstd', 'index', 'index-zstd'].map(
  (name) => `sample/${name}`,
);
/** The message of each library for what docker-registry has only as OCI. */
const refused = { refused: expect.any(String) };

const here = requirePeers('docker-registry');

describe.skipIf(here ?? requirePackages('docker-registry-client'))('docker-registry-client', () => {
  let sides: SideBySide;
  beforeAll(async () => {
    sides = await startSideBySide(samples);
  });
  afterAll(() => sides?.stop());

  const schema1Reader: ReadOptions = {};
  const imageReader: ReadOptions = { maxSchemaVersion: 2 };
  const listReader: ReadOptions = { maxSchemaVersion: 2, acceptManifestLists: true };

  it.each<[what: string, ReadOptions, sample: string, straight: string | undefined, through: string]>([
    ['reads schema 1', schema1Reader, 'schema1', schema1Signed, schema1Signed],
    ['reads schema 1', schema1Reader, 'schema2', schema1Signed, schema1Signed],
    ['reads schema 1', schema1Reader, 'list', schema1Signed, schema1Signed],
    ['reads schema 1', schema1Reader, 'oci', undefined, schema1Signed],
    ['reads schema 1', schema1Reader, 'oci-zstd', undefined, schema1Signed],
    ['reads schema 1', schema1Reader, 'index', undefined, schema1Signed],
    ['reads images', imageReader, 'schema1', schema1Signed, schema2],
    ['reads images', imageReader, 'schema2', schema2, schema2],
    ['reads images', imageReader, 'list', schema2, schema2],
    ['reads images', imageReader, 'oci', ociManifest, ociManifest],
    ['reads images', imageReader, 'oci-zstd', ociManifest, ociManifest],
    ['reads images', imageReader, 'index', undefined, ociManifest],
    ['reads lists', listReader, 'list', dockerList, dockerList],
    ['reads lists', listReader, 'index', ociIndex, ociIndex],
    ['reads lists', listReader, 'index-zstd', ociIndex, ociIndex],
  ])('%s %j: %s, straight and through', async (_, options, sample, straight, through) => {
    const repository = `sample/${sample}`;
    const pulled = await onBothSides(sides, (url) => pullByDockerRegistryClient(url, repository, options));
    const digest = expect.any(String);
    expect(pulled).toEqual({
      straight: straight ? { tags, type: straight, digest } : refused,
      through: { tags, type: through, digest },
    });
    if (straight === through && 'digest' in pulled.straight)
      expect(pulled.through.digest).toBe(pulled.straight.digest);
    // The registry itself has no schema 1 under the digest that it gives to one that it converted.
    const given = pulled.through.digest;
    expect(await getByDockerRegistryClient(sides.through, repository, given, options)).toBe(given);
  });
});

describe.skipIf(here ?? requirePackages('@snyk/docker-registry-v2-client'))('Snyk', () => {
  let sides: SideBySide;
  beforeAll(async () => {
    sides = await startSideBySide(samples);
  });
  afterAll(() => sides?.stop());

  it('the attestations of an image, and a download to a file', async () => {
    await pushShape(sides.registry, 'team/attested', 'attestations');
    const folder = mkdtempSync(join(tmpdir(), 'regshift-snyk-'));
    const { straight, through } = await onBothSides(sides, (url) =>
      attestationsBySnyk(url, 'team/attested', join(folder, 'layer')),
    );
    rmSync(folder, { recursive: true });
    expect(through).toMatch(/^sha256:/);
    expect(through).toBe(straight);
  });

  const docker = undefined;
  const oci = `${ociManifest}, ${ociIndex}`;
  const all = `${schema2}, ${dockerList}, ${oci}`;

  it.each<[sample: string, accept: string | undefined, straight: string | undefined, through: string]>([
    ['schema1', docker, undefined, schema2],
    ['schema2', docker, schema2, schema2],
    ['list', docker, schema2, schema2],
    ['oci', docker, undefined, schema2],
    ['oci-zstd', docker, undefined, schema2],
    ['index', docker, undefined, schema2],
    ['index-zstd', docker, undefined, schema2],
    ['schema1', oci, undefined, ociManifest],
    ['schema2', oci, undefined, ociManifest],
    ['list', oci, undefined, ociManifest],
    ['oci-zstd', oci, ociManifest, ociManifest],
    ['index', oci, ociManifest, ociManifest],
    ['schema2', all, schema2, schema2],
    ['list', all, schema2, schema2],
    ['oci', all, ociManifest, ociManifest],
    ['index-zstd', all, ociManifest, ociManifest],
  ])('%s with Accept %s, straight and through', async (sample, accept, straight, through) => {
    const pulled = await onBothSides(sides, (url) => pullBySnyk(url, `sample/${sample}`, accept));
    const facts = { tags: [tags, tags], digest: expect.any(String), architecture: 'amd64' };
    expect(pulled).toEqual({
      straight: straight ? { ...facts, type: straight } : refused,
      through: { ...facts, type: through },
    });
    if ('digest' in pulled.straight) expect(pulled.through.digest).toBe(pulled.straight.digest);
  });
});

describe.skipIf(here ?? requirePackages('docker-registry-client', '@snyk/docker-registry-v2-client'))(
  'a login',
  () => {
    const started: { stop(): Promise<void> }[] = [];
    const sides: Record<string, Pick<SideBySide, 'straight' | 'through'>> = {};
    beforeAll(async () => {
      const basic = await startDockerRegistry({ samples: ['sample/oci'], htpasswd: alice.htpasswd });
      const open = await startDockerRegistry({ samples: ['sample/oci'] });
      const gate = await startTokenGate(open.url, alice.login);
      started.push(basic, gate, open);
      for (const [scheme, { url }] of Object.entries({ Basic: basic, Bearer: gate })) {
        const proxy = await startProxy(url);
        started.unshift(proxy);
        sides[scheme] = { straight: url, through: `http://127.0.0.1:${proxy.port}` };
      }
    });
    afterAll(async () => {
      for (const each of started) await each.stop();
    });

    const sidesOf = (scheme: string) => sides[scheme] ?? { straight: '', through: '' };
    const byJoyent = (url: string, password: string) =>
      pullByDockerRegistryClient(url, 'sample/oci', { maxSchemaVersion: 2, username: 'alice', password });
    const bySnyk = (url: string, password: string) =>
      pullBySnyk(url, 'sample/oci', ociManifest, ['alice', password]);

    it.each(['Basic', 'Bearer'])('%s: pulls with it, and not with a wrong password', async (scheme) => {
      for (const pull of [byJoyent, bySnyk]) {
        const pulled = await onBothSides(sidesOf(scheme), async (url) => (await pull(url, 'secret')).digest);
        expect(pulled.through).toBe(pulled.straight);
        await expect(pull(sidesOf(scheme).through, 'wrong')).rejects.toThrow();
      }
    });
  },
);

describe.skipIf(requirePeers('docker-registry', 'openssl') ?? requirePackages('@azure/container-registry'))(
  'Azure',
  () => {
    let certificate: TestCertificate;
    let sides: SideBySide;
    beforeAll(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'regshift-azure-'));
      certificate = makeCertificate(folder, 'one');
      rmSync(folder, { recursive: true });
      // Azure's registry answers an upload with a path, and its library takes nothing else.
      sides = await startSecureSides(samples, certificate, { relativeLocations: true });
    });
    afterAll(() => sides?.stop());

    it.each<[sample: string, straight: string | undefined, through: string]>([
      ['schema1', undefined, schema2],
      ['schema2', schema2, schema2],
      ['list', dockerList, dockerList],
      ['oci', ociManifest, ociManifest],
      ['oci-zstd', ociManifest, ociManifest],
      ['index', ociIndex, ociIndex],
      ['index-zstd', ociIndex, ociIndex],
    ])('%s: straight and through, with %%2F in the name', async (sample, straight, through) => {
      const pulled = await onBothSides(sides, (url) =>
        pullByAzure(azureClient(url, `sample/${sample}`, certificate.cert)),
      );
      const digest = expect.any(String);
      expect(pulled).toEqual({
        straight: straight ? { type: straight, digest } : refused,
        through: { type: through, digest },
      });
      if ('digest' in pulled.straight) expect(pulled.through.digest).toBe(pulled.straight.digest);
    });

    it('pushes an image in chunks', async () => {
      const pushed = await onBothSides(sides, async (url) => {
        const client = azureClient(url, `team/${new URL(url).port}`, certificate.cert);
        const [config, layer] = [new TextEncoder().encode('{}'), new Uint8Array(5 * 1024 * 1024).fill(7)];
        const descriptor = async (mediaType: string, content: Uint8Array) => {
          const { digest, sizeInBytes: size } = await client.uploadBlob(Buffer.from(content));
          return { mediaType, digest, size };
        };
        const manifest = {
          schemaVersion: 2,
          mediaType: ociManifest,
          config: await descriptor(mediaTypes.ociConfig, config),
          layers: [await descriptor(mediaTypes.ociLayer, layer)],
        };
        await client.setManifest(manifest, { tag: 'latest' });
        return pullByAzure(client);
      });
      expect(pushed.through).toEqual(pushed.straight);
    });
  },
);
