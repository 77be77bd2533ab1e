import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { type ChoosyRegistryOptions, choosyRegistry, generations } from '../support/choosy-registry.ts';
import {
  login,
  type PushTree,
  pushTree,
  putManifest,
  treeOfSample,
  treeOfShape,
} from '../support/push-tree.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic } = mediaTypes;
const name = 'team/app';
const allTypes = [ociIndex, ociManifest, dockerList, schema2, schema1Signed, generic].join(', ');

function start(options: ChoosyRegistryOptions, variables: Record<string, string> = {}) {
  const registry = choosyRegistry(options);
  const upstream = scriptedUpstream(registry.script);
  const anotherApp = () => testApp(variables, upstream.fetch);
  return { registry, upstream, app: anotherApp(), anotherApp };
}

const stateOf = ({ registry }: ReturnType<typeof start>) => {
  const digest = registry.tags.get(`${name}:latest`) ?? '';
  return registry.manifests.get(`${name}@${digest}`);
};

const rootOf = ({ manifests }: PushTree) => manifests.at(-1) as PushTree['manifests'][number];

const isAttestation = ({ bytes }: { readonly bytes: Uint8Array }) =>
  new TextDecoder().decode(bytes).includes('"application/vnd.in-toto+json"');

const cases = [
  ['an OCI image', 'docker', () => treeOfSample('sample/oci'), schema2, 'oci -> schema2'],
  ['an OCI image of zstd layers', 'docker', () => treeOfSample('sample/oci-zstd'), schema2, 'oci -> schema2'],
  ['an OCI index', 'docker', () => treeOfSample('sample/index'), dockerList, 'oci-index -> list'],
  [
    'BuildKit’s index',
    'docker',
    () => treeOfShape('attestations with a subject'),
    dockerList,
    'oci-index -> list',
  ],
  ['a schema 2 image', 'oci', () => treeOfSample('sample/schema2'), ociManifest, 'schema2 -> oci'],
  ['a manifest list', 'oci', () => treeOfSample('sample/list'), ociIndex, 'list -> oci-index'],
  ['a schema 1 image', 'oci', () => treeOfSample('sample/schema1'), ociManifest, 'schema1 -> oci'],
  ['a generic manifest', 'oci', () => treeOfSample('sample/generic'), ociManifest, 'generic -> oci'],
  ['a generic manifest', 'docker', () => treeOfSample('sample/generic'), schema2, 'generic -> schema2'],
  ['a schema 1 image', 'today', () => treeOfSample('sample/schema1'), ociManifest, 'schema1 -> oci'],
] as const;

describe.each(cases)(
  '%s, pushed to a registry of the generation %s',
  (_, generation, make, type, conversion) => {
    const options = { takes: generations[generation] };

    it('is stored in the form that the registry takes, and the answer names the pushed digest', async () => {
      const [tree, parts] = [await make(), start(options)];
      const answers = await pushTree(parts.app, name, tree);
      expect(answers.map(({ status, text }) => [status, text()])).toEqual(answers.map(() => [201, '']));
      const digests = answers.map((answer) => answer.header('Docker-Content-Digest'));
      expect(digests).toEqual(tree.manifests.map(({ digest }) => digest));
      expect(answers.at(-1)?.header('Regshift-Conversion')).toMatch(new RegExp(`^${conversion}`));
      expect(answers.at(-1)?.header('Location')).toBe(
        `http://regshift.test/v2/${name}/manifests/${rootOf(tree).digest}`,
      );
      expect(stateOf(parts)?.mediaType).toBe(type);
    });

    it('is pulled by the pushed digest from another replica, while the registry has what is stored', async () => {
      const [tree, parts] = [await make(), start(options)];
      await pushTree(parts.app, name, tree);
      const other = parts.anotherApp();
      for (const { digest, mediaType, bytes } of tree.manifests.filter((each) => !isAttestation(each))) {
        const headers = { ...login, Accept: allTypes };
        const answer = await other.get(`/v2/${name}/manifests/${digest}`, headers);
        expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([200, digest]);
        expect(answer.header('Content-Type')).toBe(mediaType);
        if (mediaType !== schema1Signed) expect(answer.body).toEqual(bytes);
        expect((await other.head(`/v2/${name}/manifests/${digest}`, headers)).status).toBe(200);
      }
      parts.registry.manifests.clear();
      const gone = parts.anotherApp();
      for (const app of [other, gone]) {
        app.advance(31);
        const answer = await app.get(`/v2/${name}/manifests/${rootOf(tree).digest}`, {
          ...login,
          Accept: allTypes,
        });
        expect([answer.status, answer.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
      }
    });

    it('is deleted by the pushed digest, also where the registry takes blobs for manifests', async () => {
      const [tree, parts] = [await make(), start({ ...options, blobsAsManifests: true })];
      await pushTree(parts.app, name, tree);
      const path = `/v2/${name}/manifests/${rootOf(tree).digest}`;
      expect((await parts.anotherApp().send('DELETE', path, login)).status).toBe(202);
      expect(stateOf(parts)).toBeUndefined();
      for (const app of [parts.app, parts.anotherApp()]) {
        app.advance(31);
        expect((await app.get(path, { ...login, Accept: allTypes })).status).toBe(404);
      }
    });

    it('is deleted in both forms where the registry has them', async () => {
      const [tree, parts] = [await make(), start(options)];
      await pushTree(parts.app, name, tree);
      const { digest, mediaType, bytes } = rootOf(tree);
      parts.registry.manifests.set(`${name}@${digest}`, { mediaType, bytes });
      const path = `/v2/${name}/manifests/${digest}`;
      expect((await parts.anotherApp().send('DELETE', path, login)).status).toBe(202);
      expect([stateOf(parts), parts.registry.manifests.get(`${name}@${digest}`)]).toEqual([
        undefined,
        undefined,
      ]);
    });

    it('is deleted by the pushed digest where the registry serves manifests as blobs, too', async () => {
      const [tree, parts] = [await make(), start({ ...options, manifestsAsBlobs: true })];
      await pushTree(parts.app, name, tree);
      const path = `/v2/${name}/manifests/${rootOf(tree).digest}`;
      expect((await parts.anotherApp().send('DELETE', path, login)).status).toBe(202);
      expect(stateOf(parts)).toBeUndefined();
    });

    it('is not deleted where the registry refuses the named digest', async () => {
      const tree = await make();
      const { digest } = rootOf(tree);
      const before: Script = ({ method }, { pathname }) =>
        method === 'DELETE' && pathname.endsWith(digest) ? specError(403, 'DENIED') : undefined;
      const parts = start({ ...options, before });
      await pushTree(parts.app, name, tree);
      const response = await parts.anotherApp().send('DELETE', `/v2/${name}/manifests/${digest}`, login);
      expect([response.status, stateOf(parts)]).toEqual([403, expect.anything()]);
    });

    it('may be pushed again, and deleted by either digest', async () => {
      const [tree, parts] = [await make(), start(options)];
      await pushTree(parts.app, name, tree);
      const before = [...parts.registry.manifests.keys()];
      const again = await pushTree(parts.app, name, tree);
      expect(again.every(({ status }) => status === 201)).toBe(true);
      expect([...parts.registry.manifests.keys()]).toEqual(before);
      const path = `/v2/${name}/manifests/${rootOf(tree).digest}`;
      expect((await parts.app.send('DELETE', path, login)).status).toBe(202);
      expect(stateOf(parts)).toBeUndefined();
      const headers = { ...login, Accept: allTypes };
      expect((await parts.app.get(path, headers)).status).toBe(404);
      await pushTree(parts.app, name, tree);
      expect((await parts.app.get(path, headers)).status).toBe(200);
      const stored = parts.registry.tags.get(`${name}:latest`) ?? '';
      expect((await parts.app.send('DELETE', `/v2/${name}/manifests/${stored}`, login)).status).toBe(202);
      expect((await parts.app.get(path, headers)).status).toBe(404);
    });
  },
);

describe('an index whose form alone is refused, at a registry that answers a stored manifest with', () => {
  // 202 is that of docker-registry 2.0.
  it.each([200, 202, 204])('%i, is stored, and the answer is 201 with the pushed digest', async (status) => {
    const registry = choosyRegistry({ takes: [schema2, dockerList, ociManifest] });
    const upstream = scriptedUpstream(async (request, url) => {
      const response = await registry.script(request, url);
      const isWritten = request.method === 'PUT' && response?.status === 201;
      return isWritten ? new Response(null, { status, headers: response.headers }) : response;
    });
    const app = testApp({}, upstream.fetch);
    const tree = await treeOfSample('sample/index');
    // Uploads of clients get the registry's own answer.
    for (const blob of tree.blobs) registry.blobs.set(`${name}@${digestOf(blob)}`, blob);
    const answer = (await pushTree(app, name, { ...tree, blobs: [] })).at(-1);
    expect([answer?.status, answer?.header('Docker-Content-Digest')]).toEqual([201, rootOf(tree).digest]);
    const stored = registry.tags.get(`${name}:latest`);
    expect(answer?.header('Regshift-Stored-Digest')).toBe(stored);
    expect(registry.manifests.get(`${name}@${stored}`)?.mediaType).toBe(dockerList);
    const pulled = await app.get(`/v2/${name}/manifests/${rootOf(tree).digest}`, {
      ...login,
      Accept: allTypes,
    });
    expect([pulled.status, pulled.header('Docker-Content-Digest')]).toEqual([200, rootOf(tree).digest]);
  });
});

describe('an index that a client pulled through the proxy in a form that the registry does not take', () => {
  const asPulled = { ...login, Accept: `${ociIndex}, ${ociManifest}` };

  it.each([
    ['by the replica that took the first push', (parts: ReturnType<typeof start>) => parts.app],
    ['by another replica', (parts: ReturnType<typeof start>) => parts.anotherApp()],
  ] as const)('may be pushed again without its images, %s', async (_, other) => {
    const parts = start({ takes: generations.docker });
    await pushTree(parts.app, name, await treeOfSample('sample/list'));
    const app = other(parts);
    const pulled = await app.get(`/v2/${name}/manifests/latest`, asPulled);
    expect(pulled.header('Content-Type')).toBe(ociIndex);
    const manifest = { mediaType: ociIndex, bytes: pulled.body };
    const pushed = await putManifest(app, name, 'again', manifest);
    expect([pushed.status, pushed.text()]).toEqual([201, '']);
    const digest = pulled.header('Docker-Content-Digest') ?? '';
    expect(pushed.header('Docker-Content-Digest')).toBe(digest);
    const again = await parts.anotherApp().get(`/v2/${name}/manifests/${digest}`, asPulled);
    expect([again.status, again.body]).toEqual([200, pulled.body]);
  });
});

describe('an image that was pushed in two forms to a registry that takes both, and serves manifests as blobs', () => {
  it('is deleted in the named form alone', async () => {
    const parts = start({ takes: generations.today, manifestsAsBlobs: true });
    const tree = await treeOfSample('sample/oci');
    await pushTree(parts.app, name, tree);
    const pulled = await parts.app.get(`/v2/${name}/manifests/latest`, { ...login, Accept: schema2 });
    const bytes = pulled.body;
    expect((await putManifest(parts.app, name, 'other', { mediaType: schema2, bytes })).status).toBe(201);
    const path = `/v2/${name}/manifests/${rootOf(tree).digest}`;
    expect((await parts.app.send('DELETE', path, login)).status).toBe(202);
    expect([...parts.registry.tags.keys()]).toEqual([`${name}:other`]);
  });

  it('is deleted without its layers being readable', async () => {
    const parts = start(
      { takes: generations.today, manifestsAsBlobs: true },
      { REGSHIFT_LAYER_BYTES: '1000' },
    );
    const tree = await treeOfSample('sample/oci-zstd');
    await pushTree(parts.app, name, tree);
    const path = `/v2/${name}/manifests/${rootOf(tree).digest}`;
    expect((await parts.app.send('DELETE', path, login)).status).toBe(202);
    expect(stateOf(parts)).toBeUndefined();
  });
});
