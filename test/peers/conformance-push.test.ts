import { mediaTypes } from '../../converters/media-types.ts';
import { type Case, conformance } from '../support/conformance/suite.ts';
import {
  begin,
  blobOf,
  imageOf,
  pushBlob,
  pushImage,
  putManifest,
  rule,
  type Said,
  type Target,
  withDigest,
} from '../support/conformance/target.ts';

const octets = { 'Content-Type': 'application/octet-stream' };
const nowhere = `sha256:${'0'.repeat(64)}`;

/** A request body without a Content-Length. */
const streamed = (bytes: Uint8Array) =>
  new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>;

async function rulePullable(
  target: Target,
  said: Said,
  { bytes, digest }: ReturnType<typeof blobOf>,
): Promise<void> {
  rule(said.status === 201, `a blob that is complete: 201, not ${said.status}`);
  const location = said.header('location');
  rule(location !== undefined, '201 says Location');
  const got = await target.send('GET', location);
  rule(got.status === 200, `the blob can be had at Location: 200, not ${got.status}`);
  rule(
    blobOf(got.bytes).digest === digest && got.bytes.length === bytes.length,
    'it has the bytes that were pushed',
  );
}

async function patch(target: Target, location: string, bytes: Uint8Array, from: number): Promise<Said> {
  const headers = {
    ...octets,
    'Content-Length': String(bytes.length),
    'Content-Range': `${from}-${from + bytes.length - 1}`,
  };
  return target.send('PATCH', location, { headers, body: bytes });
}

async function nextLocation(said: Said, last: number): Promise<string> {
  rule(said.status === 202, `PATCH: 202, not ${said.status}`);
  rule(said.header('range') === `0-${last}`, `Range: 0-${last}, not ${said.header('range')}`);
  const location = said.header('location');
  rule(location !== undefined, 'PATCH says Location');
  return location;
}

const cases: readonly Case[] = [
  {
    clause: 'end-4a POST + end-6 PUT: a blob in one piece after its upload has begun',
    async run(target) {
      const blob = blobOf();
      const headers = { ...octets, 'Content-Length': String(blob.bytes.length) };
      const put = await target.send('PUT', withDigest(await begin(target), blob.digest), {
        headers,
        body: blob.bytes,
      });
      await rulePullable(target, put, blob);
    },
  },
  {
    clause: 'end-4a POST: an upload has an id, and its address may be used as it is',
    async run(target) {
      const begun = await target.send('POST', 'blobs/uploads/');
      rule(begun.status === 202, `202, not ${begun.status}`);
      rule(URL.canParse(begun.header('location') ?? '', 'http://a/'), 'Location is a URL');
      rule(begun.header('docker-upload-uuid') !== undefined, 'Docker-Upload-UUID (of distribution) is there');
    },
  },
  {
    clause: 'end-4b POST: a blob in one request, or an upload that has begun where that is not known',
    async run(target) {
      const blob = blobOf();
      const headers = { ...octets, 'Content-Length': String(blob.bytes.length) };
      const post = await target.send('POST', `blobs/uploads/?digest=${blob.digest}`, {
        headers,
        body: blob.bytes,
      });
      if (post.status === 201) return rulePullable(target, post, blob);
      rule(post.status === 202, `201 or 202, not ${post.status}`);
      const location = post.header('location') ?? '';
      await rulePullable(
        target,
        await target.send('PUT', withDigest(location, blob.digest), { headers, body: blob.bytes }),
        blob,
      );
    },
  },
  {
    clause: 'end-5 PATCH + end-6 PUT: a blob in chunks, each of which says how far it is',
    async run(target) {
      const blob = blobOf();
      const first = await patch(target, await begin(target), blob.bytes.subarray(0, 100), 0);
      const second = await patch(target, await nextLocation(first, 99), blob.bytes.subarray(100, 220), 100);
      const rest = blob.bytes.subarray(220);
      const headers = { ...octets, 'Content-Length': String(rest.length), 'Content-Range': '220-299' };
      const location = withDigest(await nextLocation(second, 219), blob.digest);
      await rulePullable(target, await target.send('PUT', location, { headers, body: rest }), blob);
    },
  },
  {
    clause: 'end-5 PATCH: a blob as one stream without a length, and a PUT without a body to end it',
    async run(target) {
      const blob = blobOf();
      const patched = await target.send('PATCH', await begin(target), {
        headers: octets,
        body: streamed(blob.bytes),
      });
      const location = withDigest(await nextLocation(patched, 299), blob.digest);
      await rulePullable(
        target,
        await target.send('PUT', location, { headers: { 'Content-Length': '0' } }),
        blob,
      );
    },
  },
  {
    clause: 'end-6 PUT: a stream without a length',
    async run(target) {
      const blob = blobOf();
      const location = withDigest(await begin(target), blob.digest);
      await rulePullable(
        target,
        await target.send('PUT', location, { headers: octets, body: streamed(blob.bytes) }),
        blob,
      );
    },
  },
  {
    clause: 'end-5 PATCH: a chunk that does not come next is 416',
    registryFails: 'a chunk out of order: 416, not 202',
    async run(target) {
      const bytes = blobOf().bytes;
      const location = await nextLocation(
        await patch(target, await begin(target), bytes.subarray(0, 100), 0),
        99,
      );
      const { status } = await patch(target, location, bytes.subarray(200), 200);
      rule(status === 416, `a chunk out of order: 416, not ${status}`);
    },
  },
  {
    clause: 'end-13 GET: an upload says how far it is',
    async run(target) {
      const location = await nextLocation(
        await patch(target, await begin(target), blobOf().bytes.subarray(0, 100), 0),
        99,
      );
      const status = await target.send('GET', location);
      rule(status.status === 204, `204, not ${status.status}`);
      rule(status.header('range') === '0-99', `Range: 0-99, not ${status.header('range')}`);
      rule(status.header('location') !== undefined, 'Location says where to go on');
    },
  },
  {
    clause: 'an upload that was given up is gone (of distribution: DELETE)',
    async run(target) {
      const location = await begin(target);
      const given = await target.send('DELETE', location);
      rule(given.status === 204, `204, not ${given.status}`);
      rule((await target.send('GET', location)).status === 404, 'its status is 404 then');
    },
  },
  {
    clause: 'end-6 PUT: bytes that are not what the digest says are refused',
    async run(target) {
      const put = await target.send('PUT', withDigest(await begin(target), nowhere), {
        headers: octets,
        body: blobOf().bytes,
      });
      rule(put.status === 400, `400, not ${put.status}`);
      const [first] = put.json<{ errors: { code: string }[] }>().errors;
      rule(first?.code === 'DIGEST_INVALID', `DIGEST_INVALID, not ${first?.code}`);
      rule((await target.send('HEAD', `blobs/${nowhere}`)).status === 404, 'and are not there');
    },
  },
  {
    clause: 'end-11 POST: a blob is mounted from another repository',
    async run(target) {
      const blob = blobOf();
      await pushBlob(target.other(), blob);
      const mounted = await target.send(
        'POST',
        `blobs/uploads/?mount=${blob.digest}&from=${target.other().name}`,
      );
      await rulePullable(target, mounted, blob);
    },
  },
  {
    clause: 'end-11 POST: where there is nothing to mount, an upload begins',
    async run(target) {
      const blob = blobOf();
      const begun = await target.send(
        'POST',
        `blobs/uploads/?mount=${blob.digest}&from=${target.other().name}`,
      );
      rule(begun.status === 202, `202, not ${begun.status}`);
      const location = withDigest(begun.header('location') ?? '', blob.digest);
      await rulePullable(
        target,
        await target.send('PUT', location, { headers: octets, body: blob.bytes }),
        blob,
      );
    },
  },
  {
    clause: 'end-11 POST: without from, 201 or an upload that begins',
    async run(target) {
      const blob = blobOf();
      await pushBlob(target.other(), blob);
      const { status } = await target.send('POST', `blobs/uploads/?mount=${blob.digest}`);
      rule([201, 202].includes(status), `201 or 202, not ${status}`);
    },
  },
  {
    clause: 'end-7 PUT: a manifest by tag, and by digest',
    async run(target) {
      const image = imageOf();
      await pushBlob(target, image.config);
      await pushBlob(target, image.layer);
      for (const reference of ['v1', image.manifest.digest]) {
        const put = await putManifest(target, image.manifest, reference);
        rule(put.status === 201, `201, not ${put.status}`);
        rule(
          put.header('docker-content-digest') === image.manifest.digest,
          'Docker-Content-Digest says the digest',
        );
        const got = await target.send('GET', put.header('location') ?? '', {
          headers: { Accept: mediaTypes.ociManifest },
        });
        rule(blobOf(got.bytes).digest === image.manifest.digest, 'Location is where the manifest is');
      }
    },
  },
  {
    clause: 'end-7 PUT: a tag that is put again names the new manifest at once',
    async run(target) {
      for (const image of [imageOf(), imageOf(), imageOf()]) {
        await pushImage(target, image, 'v1');
        const head = await target.send('HEAD', 'manifests/v1', {
          headers: { Accept: mediaTypes.ociManifest },
        });
        rule(
          head.header('docker-content-digest') === image.manifest.digest,
          'the tag names what was put last',
        );
      }
    },
  },
  {
    clause: 'end-7 PUT: a manifest under a digest that is not its own is refused',
    async run(target) {
      const image = imageOf();
      await pushImage(target, image);
      const put = await putManifest(target, image.manifest, nowhere);
      rule(put.status >= 400 && put.status < 500, `4xx, not ${put.status}`);
    },
  },
  {
    clause: 'end-7 PUT: a manifest whose blobs are not there is refused, or taken',
    async run(target) {
      const put = await putManifest(target, imageOf().manifest, 'v1');
      rule(
        put.status === 201 || put.status === 404 || put.status === 400,
        `201, 400 or 404, not ${put.status}`,
      );
    },
  },
  {
    clause: 'end-7 PUT: an index after its manifests',
    async run(target) {
      const image = imageOf();
      await pushImage(target, image);
      const { digest, bytes } = image.manifest;
      const entry = {
        mediaType: mediaTypes.ociManifest,
        digest,
        size: bytes.length,
        platform: { os: 'linux', architecture: 'amd64' },
      };
      const index = blobOf(
        JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] }),
      );
      const put = await putManifest(target, index, 'many', mediaTypes.ociIndex);
      rule(put.status === 201, `201, not ${put.status}`);
      const got = await target.send('GET', 'manifests/many', { headers: { Accept: mediaTypes.ociIndex } });
      rule(blobOf(got.bytes).digest === index.digest, 'it is given as it was put');
    },
  },
  {
    clause: 'end-7 PUT: a manifest with a subject says OCI-Subject where referrers are known',
    registryFails: 'OCI-Subject says the subject',
    async run(target) {
      const subject = imageOf();
      await pushImage(target, subject, 'v1');
      const { digest, bytes } = subject.manifest;
      const about = imageOf({ subject: { mediaType: mediaTypes.ociManifest, digest, size: bytes.length } });
      await pushBlob(target, about.config);
      await pushBlob(target, about.layer);
      const put = await putManifest(target, about.manifest, about.manifest.digest);
      rule(put.status === 201, `201, not ${put.status}`);
      rule(put.header('oci-subject') === digest, 'OCI-Subject says the subject');
    },
  },
];

conformance('push', cases);
