import { expect, test } from 'vitest';
import { type Digest, digestOf } from '../../../../converters/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../../../converters/reference.ts';
import { fetchBlob, findBlob } from '../../../../src/upstream/api/blobs.ts';
import { askForRepositories } from '../../../../src/upstream/api/catalog.ts';
import { fetchManifest, headManifest, pushManifest } from '../../../../src/upstream/api/manifests.ts';
import { referrersPath } from '../../../../src/upstream/api/paths.ts';
import { requestPing } from '../../../../src/upstream/api/ping.ts';
import { relayRead } from '../../../../src/upstream/api/relayed-read.ts';
import { askForTags } from '../../../../src/upstream/api/tags.ts';
import {
  beginUpload,
  cancelUpload,
  completeUpload,
  findUpload,
  mountBlob,
  sendUploadRest,
} from '../../../../src/upstream/api/uploads.ts';
import type { UpstreamClient } from '../../../../src/upstream/client.ts';

const repository = parseRepositoryName('team/app') as RepositoryName;
const base = parseRepositoryName('team/base') as RepositoryName;
const digest: Digest = digestOf(new Uint8Array());
const context = { credential: { kind: 'none' } } as const;
const push = `repository:${repository}:pull,push`;
const location = 'http://registry.invalid/v2/team/app/blobs/uploads/1?state=a%2Fb';

/** A client that gives these responses in turn, and notes each request. */
function scripted(...responses: readonly Response[]) {
  const requests: string[] = [];
  const left = [...responses];
  const client: UpstreamClient = {
    id: 'http://registry.invalid',
    async request({ method, path, url, scopes = [], headers = {} }) {
      requests.push([method, url?.href ?? path, ...scopes, headers.range ?? ''].join(' ').trim());
      return { response: left.shift() ?? new Response(), anonymous: true, refused: false };
    },
  };
  return { client, requests };
}

const body = () => new Blob(['x']).stream();
const part = (range: string) =>
  new Response('12345678', { status: 206, headers: { 'content-range': range } });

test.each<readonly [string, (client: UpstreamClient) => Promise<unknown>, Response]>([
  ['GET /v2/', (client) => requestPing(client, context), new Response()],
  [
    'GET /v2/_catalog?n=5 registry:catalog:*',
    (client) => askForRepositories(client, '?n=5', context),
    new Response(),
  ],
  [
    'GET /v2/team/app/tags/list?n=5',
    (client) => askForTags(client, repository, '?n=5', context),
    new Response(),
  ],
  [
    `HEAD /v2/team/app/referrers/${digest}?artifactType=a`,
    (client) =>
      relayRead(
        client,
        {
          method: 'HEAD',
          path: referrersPath(repository, digest, '?artifactType=a'),
          repository,
          accept: undefined,
          what: 'referrers',
        },
        context,
      ),
    new Response(),
  ],
  [
    'HEAD /v2/team/app/manifests/1.0',
    (client) => headManifest(client, repository, '1.0', context),
    new Response(),
  ],
  [
    'GET /v2/team/app/manifests/1.0',
    (client) => fetchManifest(client, repository, '1.0', context),
    new Response(),
  ],
  [
    `PUT /v2/team/app/manifests/1.0 ${push}`,
    (client) => pushManifest(client, repository, '1.0', { mediaType: 'a/b', size: 1, body: body() }, context),
    new Response(null, { status: 201 }),
  ],
  [
    `GET /v2/team/app/blobs/${digest} bytes=0-7`,
    (client) => fetchBlob(client, repository, digest, context, { range: { first: 0, last: 7 } }),
    part('bytes 0-7/16'),
  ],
  [
    `GET /v2/team/app/blobs/${digest} bytes=8-`,
    (client) => fetchBlob(client, repository, digest, context, { range: { first: 8 } }),
    part('bytes 8-15/16'),
  ],
  [
    `POST /v2/team/app/blobs/uploads/ ${push}`,
    (client) => beginUpload(client, repository, digest, context),
    new Response(null, { status: 202, headers: { location } }),
  ],
  [
    `PUT ${location}&digest=${encodeURIComponent(digest)} ${push}`,
    (client) => completeUpload(client, repository, location, { digest, size: 1, body: body() }, context),
    new Response(null, { status: 201 }),
  ],
  [
    `POST /v2/team/app/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=team%2Fbase ${push} repository:team/base:pull`,
    (client) => mountBlob(client, repository, digest, base, context),
    new Response(null, { status: 201 }),
  ],
  [
    `GET ${location} ${push}`,
    (client) => findUpload(client, repository, location, context),
    new Response(null, { status: 204, headers: { range: '0-9' } }),
  ],
  [
    `PATCH ${location} ${push}`,
    (client) =>
      sendUploadRest(
        client,
        repository,
        { location, received: 2 },
        { digest, size: 3, body: body() },
        context,
      ),
    new Response(null, { status: 202, headers: { location } }),
  ],
  [
    `DELETE ${location} ${push}`,
    (client) => cancelUpload(client, repository, location, context),
    new Response(),
  ],
])('requests %s', async (request, send, response) => {
  const { client, requests } = scripted(response);
  await send(client);
  expect(requests).toEqual([request]);
});

test.each([401, 403, 405])('finds a blob by GET where a registry answers %i to HEAD', async (status) => {
  const { client, requests } = scripted(new Response(null, { status }), new Response());
  expect(await findBlob(client, repository, digest, context)).toMatchObject({ public: true });
  expect(requests.map((request) => request.split(' ')[0])).toEqual(['HEAD', 'GET']);
});

test('reads a manifest and its headers', async () => {
  const headers = { 'content-type': 'a/b', 'docker-content-digest': digest };
  const { client } = scripted(new Response('{}', { headers }));
  const manifest = await fetchManifest(client, repository, '1.0', context);
  expect(manifest).toMatchObject({ digest, contentType: 'a/b', public: true });
  expect(new TextDecoder().decode(await manifest.bytes())).toBe('{}');
});

test('goes on with an upload at the address that upstream names', async () => {
  const relative = new Response(null, { status: 202, headers: { location: '/v2/up/1' } });
  const { client } = scripted(new Response(null, { status: 202, headers: { location } }), relative);
  expect(await beginUpload(client, repository, digest, context)).toBe(location);
  expect(await beginUpload(client, repository, digest, context)).toBe('http://registry.invalid/v2/up/1');
});

test.each<readonly [string, (client: UpstreamClient) => Promise<unknown>]>([
  [`manifest 1.0 of ${repository}`, (client) => headManifest(client, repository, '1.0', context)],
  [`blob ${digest} of ${repository}`, (client) => fetchBlob(client, repository, digest, context)],
  [
    `layer ${digest} of ${repository}`,
    (client) => fetchBlob(client, repository, digest, context, { what: 'layer' }),
  ],
  [`upload of ${digest} to ${repository}`, (client) => beginUpload(client, repository, digest, context)],
])('names the %s in an error', async (what, send) => {
  const { client } = scripted(new Response(null, { status: 404 }));
  await expect(send(client)).rejects.toThrow(`Upstream answered 404 for the ${what}.`);
});

test.each([
  ['0-9', 204, 10],
  ['bytes=0-9', 204, 10],
  // docker-registry says this of an upload without a byte.
  ['0-0', 204, 0],
  ['5-9', 204, undefined],
  ['', 204, undefined],
  ['0-9', 404, undefined],
])('reads of Range %j with %i that upstream has %s bytes of an upload', async (range, status, received) => {
  const { client } = scripted(new Response(null, { status, headers: range ? { range } : {} }));
  const found = await findUpload(client, repository, location, context);
  expect(found).toEqual(received === undefined ? undefined : { location, received });
});

test('goes on with an upload where upstream has moved it to', async () => {
  const moved = 'http://registry.invalid/v2/team/app/blobs/uploads/1?state=c';
  const { client } = scripted(
    new Response(null, { status: 204, headers: { range: '0-9', location: moved } }),
  );
  expect(await findUpload(client, repository, location, context)).toEqual({ location: moved, received: 10 });
});

test('begins an upload in place of a mount where upstream does not mount', async () => {
  const { client } = scripted(
    new Response(null, { status: 202, headers: { location } }),
    new Response(null, { status: 201 }),
  );
  expect(await mountBlob(client, repository, digest, base, context)).toBe(location);
  expect(await mountBlob(client, repository, digest, base, context)).toBeUndefined();
});
