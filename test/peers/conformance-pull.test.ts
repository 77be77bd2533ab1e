import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Case, conformance } from '../support/conformance/suite.ts';
import {
  blobOf,
  imageOf,
  pushBlob,
  pushImage,
  rule,
  type Said,
  type Target,
} from '../support/conformance/target.ts';

const nowhere = `sha256:${'0'.repeat(64)}`;
const accept = { headers: { Accept: mediaTypes.ociManifest } };

function ruleError(said: Said, status: number, ...codes: readonly string[]): void {
  rule(said.status === status, `an error has status ${status}, not ${said.status}`);
  const [first] = said.json<{ errors?: { code?: string }[] }>().errors ?? [];
  rule(codes.includes(first?.code ?? ''), `its code is ${codes.join(' or ')}, not ${first?.code}`);
}

async function ruleManifest(target: Target, reference: string, bytes: Uint8Array): Promise<void> {
  const got = await target.send('GET', `manifests/${reference}`, accept);
  rule(got.status === 200, `GET of a manifest: 200, not ${got.status}`);
  rule(digestOf(got.bytes) === digestOf(bytes), 'GET of a manifest gives the bytes that were pushed');
  rule(got.header('content-type') === mediaTypes.ociManifest, 'Content-Type is the type that was pushed');
  rule(got.header('docker-content-digest') === digestOf(bytes), 'Docker-Content-Digest names the bytes');
  const head = await target.send('HEAD', `manifests/${reference}`, accept);
  rule(head.status === 200, `HEAD of a manifest: 200, not ${head.status}`);
  rule(head.header('content-length') === String(bytes.length), 'HEAD of a manifest says its length');
  rule(head.header('docker-content-digest') === digestOf(bytes), 'HEAD of a manifest says its digest');
}

const cases: readonly Case[] = [
  {
    clause: 'end-1: GET /v2/ says that this is a registry',
    async run(target) {
      const said = await target.send('GET', '/v2/');
      rule(said.status === 200, `200, not ${said.status}`);
    },
  },
  {
    clause: 'end-2: GET of a blob gives its bytes, HEAD its length and digest',
    async run(target) {
      const blob = blobOf();
      await pushBlob(target, blob);
      const got = await target.send('GET', `blobs/${blob.digest}`);
      rule(got.status === 200, `GET: 200, not ${got.status}`);
      rule(digestOf(got.bytes) === blob.digest, 'GET gives the bytes that were pushed');
      rule(got.header('docker-content-digest') === blob.digest, 'GET says the digest');
      const head = await target.send('HEAD', `blobs/${blob.digest}`);
      rule(head.status === 200, `HEAD: 200, not ${head.status}`);
      rule(head.header('content-length') === String(blob.bytes.length), 'HEAD says the length');
    },
  },
  {
    clause: 'end-2: a blob is given in part where Range asks for that',
    async run(target) {
      const blob = blobOf();
      await pushBlob(target, blob);
      const part = await target.send('GET', `blobs/${blob.digest}`, { headers: { Range: 'bytes=100-199' } });
      rule(part.status === 206, `206, not ${part.status}`);
      rule(part.header('content-range') === 'bytes 100-199/300', 'Content-Range says which part');
      rule(
        digestOf(part.bytes) === digestOf(blob.bytes.subarray(100, 200)),
        'the part is what was asked for',
      );
    },
  },
  {
    clause: 'end-2: a blob that is not there is 404 BLOB_UNKNOWN, by HEAD 404',
    async run(target) {
      await pushBlob(target, blobOf());
      ruleError(await target.send('GET', `blobs/${nowhere}`), 404, 'BLOB_UNKNOWN');
      rule((await target.send('HEAD', `blobs/${nowhere}`)).status === 404, 'HEAD: 404');
    },
  },
  {
    clause: 'end-3: a manifest is given by tag and by digest, as it was pushed',
    async run(target) {
      const image = imageOf();
      await pushImage(target, image, 'v1');
      await ruleManifest(target, 'v1', image.manifest.bytes);
      await ruleManifest(target, image.manifest.digest, image.manifest.bytes);
    },
  },
  {
    clause: 'end-3: a tag may have 128 characters',
    async run(target) {
      const image = imageOf();
      const tag = `_${'A.b-'.repeat(31)}123`;
      await pushImage(target, image, tag);
      await ruleManifest(target, tag, image.manifest.bytes);
    },
  },
  {
    clause: 'end-3: a manifest that is not there is 404 MANIFEST_UNKNOWN, by HEAD 404',
    async run(target) {
      await pushImage(target, imageOf(), 'v1');
      for (const reference of ['other', nowhere]) {
        ruleError(await target.send('GET', `manifests/${reference}`, accept), 404, 'MANIFEST_UNKNOWN');
        rule((await target.send('HEAD', `manifests/${reference}`, accept)).status === 404, 'HEAD: 404');
      }
    },
  },
  {
    clause: 'end-3: of a repository that is not there, 404 says so',
    async run(target) {
      ruleError(await target.send('GET', 'manifests/v1', accept), 404, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN');
      ruleError(await target.send('GET', `blobs/${nowhere}`), 404, 'BLOB_UNKNOWN', 'NAME_UNKNOWN');
    },
  },
];

conformance('pull', cases);
