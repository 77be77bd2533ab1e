import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { addImage, builtRepository } from '../support/built-repository.ts';
import { cells, givenCells, givenForm, sampleNames, unsupported } from '../support/given-forms.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { digestThatClientsCompute, headersByDigest } from '../support/pull.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const app = testApp();
const latest = (sample: string) => `/v2/${sample}/manifests/latest`;
const ask = (sample: string, client: OldClient) => app.get(latest(sample), manifestRequestHeaders[client]);

it('every sample is in the table', () => {
  expect(createSampleRegistry().repositories.map(({ name }) => name)).toEqual(sampleNames);
});

describe('the form that each client gets', () => {
  it.each(cells)('$sample → $client: $form', async ({ sample, client, form }) => {
    const response = await ask(sample, client);
    expect(response.status === 200 ? response.header('Content-Type') : response.error().code).toBe(form);
    expect(response.status).toBe(form === unsupported ? 404 : 200);
  });
});

describe.each(givenCells)('$sample as $client gets it', ({ sample, client }) => {
  it('has the digest that the client computes', async () => {
    const response = await ask(sample, client);
    const digest = await digestThatClientsCompute(response);
    expect(response.header('Docker-Content-Digest')).toBe(digest);
    expect(response.header('ETag')).toBe(`"${digest}"`);
    expect(response.header('Content-Length')).toBe(String(response.body.length));
    expect(response.header('Vary')).toBe('Accept, User-Agent');
    expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
  });

  it('has the same headers by HEAD, and no body', async () => {
    const byGet = await ask(sample, client);
    const byHead = await app.head(latest(sample), manifestRequestHeaders[client]);
    expect(byHead.status).toBe(200);
    expect([...byHead.headers]).toEqual([...byGet.headers]);
    expect(byHead.body).toHaveLength(0);
  });

  it.each(['GET', 'HEAD'])('is not sent by %s to a client that has it', async (method) => {
    const etag = (await ask(sample, client)).header('ETag') ?? '';
    const known = [...manifestRequestHeaders[client], ['If-None-Match', `"other", ${etag}`]] as const;
    const response = await app.send(method, latest(sample), known);
    expect(response.status).toBe(304);
    expect(response.body).toHaveLength(0);
    expect(response.header('ETag')).toBe(etag);
    expect(response.header('Vary')).toBe('Accept, User-Agent');
    expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
  });

  it('is the same by its digest', async () => {
    const byTag = await ask(sample, client);
    const headers = headersByDigest(client, givenForm(sample, client));
    const byDigest = await app.get(
      `/v2/${sample}/manifests/${byTag.header('Docker-Content-Digest')}`,
      headers,
    );
    expect(byDigest.status).toBe(200);
    expect(byDigest.header('Content-Type')).toBe(byTag.header('Content-Type'));
    expect(byDigest.header('Docker-Content-Digest')).toBe(byTag.header('Docker-Content-Digest'));
    expect(byDigest.body).toEqual(byTag.body);
  });
});

describe('the headers of a manifest', () => {
  it('show that stored bytes were not converted', async () => {
    const response = await ask('sample/oci', 'Docker 20.10');
    expect(response.header('Regshift-Source-Digest')).toBe(response.header('Docker-Content-Digest'));
    expect(response.header('Regshift-Conversion')).toBeNull();
  });

  it('name the source form, the target form and the platform of a conversion', async () => {
    const stored = await ask('sample/oci', 'Docker 20.10');
    const response = await ask('sample/oci', 'Docker 1.13.1');
    expect(response.header('Regshift-Source-Digest')).toBe(stored.header('Docker-Content-Digest'));
    expect(response.header('Regshift-Conversion')).toBe('oci -> schema2');
    const chosen = await ask('sample/index', 'Docker 1.9.1');
    expect(chosen.header('Regshift-Conversion')).toBe('oci-index -> schema1; platform=linux/amd64');
  });

  it('name the stored manifest as the registry does, also by SHA-512', async () => {
    const built = builtRepository('team/long');
    const image = addImage(built);
    const bytes = built.manifests.get(image.digest)?.bytes ?? new Uint8Array();
    const root = built.manifest(image.mediaType, bytes, digestOf(bytes, 'sha512'));
    const proxy = testApp({}, scriptedUpstream(built.serve(root)).fetch);
    for (const client of ['Docker 20.10', 'Docker 1.13.1', 'Docker 1.9.1'] as const) {
      const response = await proxy.get(latest('team/long'), manifestRequestHeaders[client]);
      expect([response.status, response.header('Regshift-Source-Digest')]).toEqual([200, root.digest]);
    }
  });

  it('name the losses by path, and the log by what they are', async () => {
    const response = await ask('sample/index', 'Docker 1.13.1');
    expect(app.logged.at(-1)?.facts?.conversion).toBe(
      'oci-index -> list; lost="a build attestation (2 times)"',
    );
    expect(response.header('Regshift-Conversion')).toMatch(
      /^oci-index -> list; lost="\$\.manifests\[2\] \$\.manifests\[3\]"$/,
    );
  });
});
