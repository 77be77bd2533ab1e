import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Answer, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

/**
 * The clauses of the OCI distribution spec 1.1 about pulls, errors and ranges, for stored and for derived content: a
 * client cannot tell them apart. Pushes, lists and deletions are tested in front of a real registry
 * (test/peers/conformance*.test.ts).
 */
const app = testApp();
const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const anything = [['Accept', '*/*']] as const;
const nowhere = `sha256:${'0'.repeat(64)}`;

/** A stored manifest, a converted one, and a child of a converted one. */
const manifests = [
  { what: 'a stored manifest', name: 'sample/oci', headers: anything },
  { what: 'a converted manifest', name: 'sample/oci', headers: docker19 },
  { what: 'a converted index', name: 'sample/index', headers: docker113 },
];

async function firstLayer(name: string, headers: typeof docker19 | typeof anything): Promise<string> {
  const response = await app.get(`/v2/${name}/manifests/latest`, headers);
  return `/v2/${name}/blobs/${(JSON.parse(response.text()) as { layers: { digest: string }[] }).layers[0]?.digest}`;
}

const blobs = [
  { what: 'a stored blob', path: await firstLayer('sample/oci', anything) },
  { what: 'an unpacked blob', path: await firstLayer('sample/oci-zstd', docker113) },
];

describe('"Pulling manifests" (end-3)', () => {
  describe.each(manifests)('$what', ({ name, headers }) => {
    const path = `/v2/${name}/manifests/latest`;

    it('GET to /v2/<name>/manifests/<reference>: a tag is a reference, and a digest too', async () => {
      const byTag = await app.get(path, headers);
      expect(byTag.status).toBe(200);
      const digest = byTag.header('Docker-Content-Digest');
      const byDigest = await app.get(`/v2/${name}/manifests/${digest}`, headers);
      expect([byDigest.status, byDigest.header('Docker-Content-Digest')]).toEqual([200, digest]);
    });

    it('the Content-Type of the response is the mediaType of the manifest', async () => {
      const response = await app.get(path, headers);
      const said = (JSON.parse(response.text()) as { mediaType?: string }).mediaType;
      // Schema 1 has no such field.
      expect(response.header('Content-Type')).toBe(said ?? mediaTypes.schema1Signed);
    });

    it('HEAD: 200, with the length of the GET response', async () => {
      const [head, get] = [await app.head(path, headers), await app.get(path, headers)];
      expect([head.status, head.body.length]).toEqual([200, 0]);
      expect(head.header('Content-Length')).toBe(String(get.body.length));
      expect(head.header('Docker-Content-Digest')).toBe(get.header('Docker-Content-Digest'));
    });
  });

  it('a manifest that is not found: 404, by GET and by HEAD', async () => {
    for (const reference of ['no-such-tag', nowhere]) {
      const path = `/v2/sample/oci/manifests/${reference}`;
      expect([(await app.get(path)).status, (await app.head(path)).status]).toEqual([404, 404]);
    }
  });
});

describe('"Pulling blobs" (end-2)', () => {
  describe.each(blobs)('$what', ({ path }) => {
    it('GET: 200, with the digest in Docker-Content-Digest', async () => {
      const response = await app.get(path);
      expect([response.status, path.endsWith(response.header('Docker-Content-Digest') ?? '-')]).toEqual([
        200,
        true,
      ]);
    });

    it('HEAD: 200, with the length of the GET response', async () => {
      const [head, get] = [await app.head(path), await app.get(path)];
      expect([head.status, head.header('Content-Length')]).toEqual([200, String(get.body.length)]);
    });

    it('"A registry SHOULD support the Range request header in accordance with RFC 9110"', async () => {
      const whole = (await app.get(path)).body;
      const part = await app.get(path, { Range: 'bytes=3-11' });
      expect([part.status, part.body]).toEqual([206, whole.slice(3, 12)]);
      expect(part.header('Content-Range')).toBe(`bytes 3-11/${whole.length}`);
      const beyond = await app.get(path, { Range: `bytes=${whole.length}-` });
      expect([beyond.status, beyond.header('Content-Range')]).toEqual([416, `bytes */${whole.length}`]);
    });
  });

  it('a blob that is not found: 404, by GET and by HEAD', async () => {
    const path = `/v2/sample/oci/blobs/${nowhere}`;
    expect([(await app.get(path)).status, (await app.head(path)).status]).toEqual([404, 404]);
  });
});

/** Each error code that the proxy can send, with a request that causes it. */
const codes: readonly (readonly [
  code: string,
  status: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  script?: Script,
])[] = [
  ['BLOB_UNKNOWN', 404, `/v2/sample/oci/blobs/${nowhere}`, {}],
  ['DIGEST_INVALID', 400, '/v2/sample/oci/manifests/sha256:short', {}],
  ['MANIFEST_UNKNOWN', 404, '/v2/sample/oci/manifests/no-such-tag', {}],
  ['NAME_INVALID', 400, '/v2/Sample/oci/manifests/latest', {}],
  ['NAME_UNKNOWN', 404, '/v2/no/such/tags/list', {}],
  ['UNAUTHORIZED', 401, '/v2/sample/oci/manifests/latest', {}, () => specError(401, 'UNAUTHORIZED')],
  ['DENIED', 403, '/v2/sample/oci/manifests/latest', {}, () => specError(403, 'DENIED')],
  ['TOOMANYREQUESTS', 429, '/v2/sample/oci/manifests/latest', {}, () => specError(429, 'TOOMANYREQUESTS')],
  ['UNSUPPORTED', 404, '/v2/sample/helm-chart/manifests/latest', { Accept: mediaTypes.schema2 }],
  [
    'MANIFEST_INVALID',
    502,
    '/v2/sample/oci/manifests/latest',
    {},
    ({ method }, { pathname }) =>
      method === 'GET' && pathname.includes('/manifests/') ? new Response('{"other":1}') : undefined,
  ],
];

describe('"Error Codes"', () => {
  const ask = async ([, , path, headers, script]: (typeof codes)[number]): Promise<Answer> =>
    testApp({}, scriptedUpstream(script).fetch).get(path, headers);

  it.each(codes)('%s has status %i', async (...each) => {
    const [code, status] = each;
    const response = await ask(each as never);
    expect([response.status, response.error().code]).toEqual([status, code]);
  });

  it.each(codes)(
    '%s: "the response body MUST be JSON, and follow the format" of errors, with a message for people',
    async (...each) => {
      const response = await ask(each as never);
      expect(response.header('Content-Type')).toBe('application/json');
      const { errors } = JSON.parse(response.text()) as { errors: Record<string, unknown>[] };
      expect(errors).toHaveLength(1);
      expect(Object.keys(errors[0] ?? {}).every((key) => ['code', 'message', 'detail'].includes(key))).toBe(
        true,
      );
      expect(errors[0]?.code).toMatch(/^[A-Z_]+$/);
      expect(errors[0]?.message).toMatch(/^.*\w+ \w+ \w+ .{5,}/);
    },
  );
});

it('"Determining Support" (end-1): GET /v2/ is 200', async () => {
  expect((await app.get('/v2/')).status).toBe(200);
});
