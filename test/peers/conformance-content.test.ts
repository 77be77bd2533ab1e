import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Case, conformance } from '../support/conformance/suite.ts';
import {
  blobOf,
  imageOf,
  pushBlob,
  pushImage,
  putManifest,
  rule,
  type Said,
  type Target,
  targetAt,
} from '../support/conformance/target.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

const accept = { headers: { Accept: mediaTypes.ociManifest } };

async function tags(target: Target, query = ''): Promise<{ tags: string[]; said: Said }> {
  const said = await target.send('GET', `tags/list${query}`);
  rule(said.status === 200, `tags/list: 200, not ${said.status}`);
  const list = said.json<{ name: string; tags: string[] }>();
  rule(
    list.name === target.name,
    `it names the repository, not ${list.name === undefined ? 'nothing' : 'another'}`,
  );
  return { tags: list.tags, said };
}

const pushTags = (target: Target) => pushImage(target, imageOf(), 'v2', 'v10', 'latest', 'A', 'v1');
const sorted = ['A', 'latest', 'v1', 'v10', 'v2'];

const discovery: readonly Case[] = [
  {
    clause: 'end-8a: all tags, each once',
    async run(target) {
      await pushTags(target);
      const found = await tags(target);
      rule(found.tags.toSorted().join() === sorted.join(), `all, not ${found.tags.join()}`);
    },
  },
  {
    clause: 'end-8b: n tags and no more',
    registryFails: '2 tags, not 5',
    async run(target) {
      await pushTags(target);
      const found = await tags(target, '?n=2');
      rule(found.tags.length === 2, `2 tags, not ${found.tags.length}`);
    },
  },
  {
    clause: 'end-8b: no tags where n is 0',
    registryFails: 'no tags, not 5',
    async run(target) {
      await pushTags(target);
      const found = await tags(target, '?n=0');
      rule((found.tags ?? []).length === 0, `no tags, not ${found.tags.length}`);
    },
  },
  {
    clause: 'end-8b: the tags after last',
    registryFails: 'two tags, not 5',
    async run(target) {
      await pushTags(target);
      const found = await tags(target, '?n=2&last=v1');
      rule(found.tags.length === 2, `two tags, not ${found.tags.length}`);
      rule(found.tags.join() === 'v10,v2', 'those after last');
    },
  },
  {
    clause: 'end-8a: of a repository that is not there, 404 NAME_UNKNOWN',
    async run(target) {
      const said = await target.send('GET', 'tags/list');
      rule(said.status === 404, `404, not ${said.status}`);
      rule(said.json<{ errors: { code: string }[] }>().errors[0]?.code === 'NAME_UNKNOWN', 'NAME_UNKNOWN');
    },
  },
  {
    clause: 'end-12a: what refers to a manifest',
    registryFails: '200, not 404',
    async run(target) {
      const subject = imageOf();
      await pushImage(target, subject, 'v1');
      const said = await target.send('GET', `referrers/${subject.manifest.digest}`);
      rule(said.status === 200, `200, not ${said.status}`);
    },
  },
  {
    clause: 'end-12b: what of a type refers to a manifest',
    registryFails: '200, not 404',
    async run(target) {
      const subject = imageOf();
      await pushImage(target, subject, 'v1');
      const said = await target.send('GET', `referrers/${subject.manifest.digest}?artifactType=a/b`);
      rule(said.status === 200, `200, not ${said.status}`);
      rule(said.header('oci-filters-applied') === 'artifactType', 'OCI-Filters-Applied says so');
    },
  },
  {
    clause: 'referrers by the tag schema: 404, and an index under the tag that stands for them',
    async run(target) {
      const subject = imageOf();
      await pushImage(target, subject, 'v1');
      const { digest, bytes } = subject.manifest;
      const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: bytes.length };
      const about = imageOf({ subject: descriptor, annotations: { kind: 'signature' } });
      await pushImage(target, about);
      const entry = {
        mediaType: mediaTypes.ociManifest,
        digest: about.manifest.digest,
        size: about.manifest.bytes.length,
      };
      const index = blobOf(
        JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] }),
      );
      const tag = digest.replace(':', '-');
      const put = await putManifest(target, index, tag, mediaTypes.ociIndex);
      rule(put.status === 201, `the index is taken: 201, not ${put.status}`);
      const got = await target.send('GET', `manifests/${tag}`, { headers: { Accept: mediaTypes.ociIndex } });
      rule(blobOf(got.bytes).digest === index.digest, 'the index is given as it was put');
      const found = await target.send('GET', `manifests/${about.manifest.digest}`, accept);
      rule(blobOf(found.bytes).digest === about.manifest.digest, 'and what it names');
    },
  },
  {
    clause: 'the list of repositories (of distribution), page by page, with a link that leads on',
    async run(target) {
      for (const each of [target, target.other()]) await pushImage(each, imageOf(), 'v1');
      const names: string[] = [];
      for (let next: string | undefined = '/v2/_catalog?n=1'; next !== undefined; ) {
        const said: Said = await target.send('GET', next);
        rule(said.status === 200, `200, not ${said.status}`);
        names.push(...said.json<{ repositories: string[] }>().repositories);
        next = /<([^>]+)>; rel="next"/.exec(said.header('link') ?? '')?.[1];
      }
      rule(
        names.includes(target.name) && names.includes(target.other().name),
        'both repositories are listed',
      );
      rule(new Set(names).size === names.length, 'each once');
    },
  },
];

const management: readonly Case[] = [
  {
    clause: 'end-9: a manifest that is deleted by digest is gone, with its tag',
    async run(target) {
      const image = imageOf();
      await pushImage(target, image, 'v1');
      // These requests fill the proxy's cache, which must not serve the manifest after its deletion.
      for (const reference of ['v1', image.manifest.digest]) {
        rule(
          (await target.send('GET', `manifests/${reference}`, accept)).status === 200,
          'it is there before',
        );
      }
      const { status } = await target.send('DELETE', `manifests/${image.manifest.digest}`);
      rule(status === 202, `202, not ${status}`);
      for (const reference of ['v1', image.manifest.digest]) {
        const gone = await target.send('GET', `manifests/${reference}`, accept);
        rule(gone.status === 404, `404 after it, not ${gone.status}`);
      }
      rule(
        !(
          await target.send('GET', 'tags/list').then((said) => new TextDecoder().decode(said.bytes))
        ).includes('"v1"'),
        'the tag is no longer listed',
      );
    },
  },
  {
    clause: 'end-9: a tag is deleted, or 400 or 405 says that it cannot be',
    async run(target) {
      const image = imageOf();
      await pushImage(target, image, 'v1');
      const { status } = await target.send('DELETE', 'manifests/v1');
      rule([202, 400, 405].includes(status), `202, 400 or 405, not ${status}`);
      const after = await target.send('GET', 'manifests/v1', accept);
      rule(after.status === (status === 202 ? 404 : 200), 'and it is so');
    },
  },
  {
    clause: 'end-9: a manifest that is not there is 404',
    async run(target) {
      await pushImage(target, imageOf(), 'v1');
      const { status } = await target.send('DELETE', `manifests/sha256:${'0'.repeat(64)}`);
      rule(status === 404, `404, not ${status}`);
    },
  },
  {
    clause: 'end-10: a blob that is deleted is gone',
    async run(target) {
      const blob = blobOf();
      await pushBlob(target, blob);
      const { status } = await target.send('DELETE', `blobs/${blob.digest}`);
      rule(status === 202, `202, not ${status}`);
      for (const method of ['HEAD', 'GET']) {
        const gone = await target.send(method, `blobs/${blob.digest}`);
        rule(gone.status === 404, `404 after it, not ${gone.status}`);
      }
    },
  },
  {
    clause: 'end-10: a blob that is not there is 404',
    async run(target) {
      await pushBlob(target, blobOf());
      const { status } = await target.send('DELETE', `blobs/sha256:${'0'.repeat(64)}`);
      rule(status === 404, `404, not ${status}`);
    },
  },
];

conformance('content discovery', discovery);

/** docker-registry 2.8.2 lists tags in the order of its storage, not in the lexical order that end-8a requires. */
describe.skipIf(requirePeers('docker-registry'))('the order of tags', () => {
  it('is the registry’s own', async () => {
    const registry = await startDockerRegistry();
    const proxy = await startProxy(registry.url);
    try {
      const target = targetAt(registry.url, 'team/app');
      await pushTags(target);
      const through = await tags(targetAt(`http://127.0.0.1:${proxy.port}`, 'team/app'));
      expect(through.tags).toEqual((await tags(target)).tags);
    } finally {
      await proxy.stop();
      await registry.stop();
    }
  });
});
conformance('content management', management);
