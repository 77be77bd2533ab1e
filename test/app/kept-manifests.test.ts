import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { choosyRegistry, generations } from '../support/choosy-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { login, type PushTree, pushBlob, pushTree, treeOfSample } from '../support/push-tree.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
const name = 'team/app';
const bob = { Authorization: 'Basic Ym9iOnNlY3JldA==' };
const modern = { Accept: [ociIndex, ociManifest, dockerList, schema2, schema1Signed].join(', ') };

function start(
  generation: keyof typeof generations,
  before?: Script,
  variables: Record<string, string> = {},
) {
  const options = { takes: generations[generation], ...(before ? { before } : {}) };
  const registry = choosyRegistry(options);
  const upstream = scriptedUpstream(registry.script);
  return { registry, upstream, app: testApp(variables, upstream.fetch) };
}

const digestOfRoot = ({ manifests }: PushTree) => manifests.at(-1)?.digest ?? '';
const pathOf = (digest: string) => `/v2/${name}/manifests/${digest}`;

describe('the digest of a pushed manifest that is stored in another form', () => {
  const readers = new Set<string>([login.Authorization]);
  const ofReaders: Script = (request) =>
    readers.has(request.headers.get('authorization') ?? '')
      ? undefined
      : specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });

  it('gives nothing to a client that the registry refuses', async () => {
    const { app } = start('docker', ofReaders);
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    const path = pathOf(digestOfRoot(tree));
    expect((await app.get(path, { ...login, ...modern })).status).toBe(200);
    for (const headers of [modern, { ...bob, ...modern }]) {
      expect((await app.get(path, headers)).status).toBe(401);
    }
  });

  it('gives nothing to a client that may read the blob, and not the stored manifest', async () => {
    const { registry, app } = start('docker', (request, url) => {
      const isStored = url.pathname === pathOf(registry.tags.get(`${name}:latest`) ?? '');
      const isBob = request.headers.get('authorization') === bob.Authorization;
      return isStored && isBob && request.method !== 'PUT' ? specError(403, 'DENIED') : undefined;
    });
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    const path = pathOf(digestOfRoot(tree));
    expect((await app.get(path, { ...login, ...modern })).status).toBe(200);
    expect((await app.get(path, { ...bob, ...modern })).status).toBe(403);
  });

  it('is unknown where a blob with these bytes is all that the registry has', async () => {
    const { app } = start('docker');
    const tree = await treeOfSample('sample/oci');
    for (const blob of [...tree.blobs, ...tree.manifests.map(({ bytes }) => bytes)]) {
      await pushBlob(app, name, blob);
    }
    expect((await app.get(pathOf(digestOfRoot(tree)), { ...login, ...modern })).status).toBe(404);
  });

  it('fails while the registry fails to tell, and leaves converted digests alone', async () => {
    let isFailing = false;
    const { app, registry, upstream } = start('docker', (request, url) =>
      isFailing && request.method === 'HEAD' && url.pathname.includes('/blobs/')
        ? new Response(null, { status: 500 })
        : undefined,
    );
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    const made = await app.get(`/v2/${name}/manifests/latest`, { ...login, Accept: ociManifest });
    const derived = made.header('Docker-Content-Digest') ?? '';
    expect([...registry.manifests.keys()]).not.toContain(`${name}@${derived}`);
    isFailing = true;
    const unknown = `sha256:${'f'.repeat(64)}`;
    const replica = testApp({}, upstream.fetch);
    expect((await replica.get(pathOf(unknown), { ...login, ...modern })).status).toBe(500);
    expect((await replica.get(pathOf(derived), { ...login, Accept: ociManifest })).status).toBe(200);
    isFailing = false;
    expect((await replica.get(pathOf(unknown), { ...login, ...modern })).status).toBe(404);
    expect((await replica.get(pathOf(digestOfRoot(tree)), { ...login, ...modern })).status).toBe(200);
  });

  it('is unknown in another repository', async () => {
    const { app } = start('docker');
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    const other = await app.get(`/v2/team/other/manifests/${digestOfRoot(tree)}`, { ...login, ...modern });
    expect(other.status).toBe(404);
  });

  it('asks the registry for the stored manifest again after the TTL, also for a remembered response', async () => {
    const { registry, upstream, app } = start('docker');
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    const path = pathOf(digestOfRoot(tree));
    const pull = () => app.get(path, { ...login, ...modern });
    expect((await pull()).status).toBe(200);
    upstream.forget();
    expect((await pull()).status).toBe(200);
    expect(upstream.asked).toEqual([]);
    app.advance(31);
    const stored = registry.tags.get(`${name}:latest`) ?? '';
    expect((await pull()).status).toBe(200);
    expect(upstream.asked.filter((each) => each.startsWith('HEAD'))).toContain(`HEAD ${pathOf(stored)}`);
    app.advance(31);
    registry.manifests.clear();
    expect((await pull()).status).toBe(404);
  });

  it('is signed anew for schema 1', async () => {
    const { app } = start('oci');
    const tree = await treeOfSample('sample/schema1');
    await pushTree(app, name, tree);
    const answer = await app.get(pathOf(digestOfRoot(tree)), [
      ...(manifestRequestHeaders['Docker 1.9.1'] ?? []),
      ['Authorization', login.Authorization],
    ]);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, schema1Signed]);
    const signed = readSignedSchema1(answer.body);
    expect(await signed.verify()).toBe(true);
    expect(digestOf(signed.payload)).toBe(digestOfRoot(tree));
  });

  it('names the stored manifest to a client that does not read the pushed form', async () => {
    const { registry, app } = start('docker');
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    const answer = await app.get(pathOf(digestOfRoot(tree)), [
      ...(manifestRequestHeaders['Docker 1.13.1'] ?? []),
      ['Authorization', login.Authorization],
    ]);
    expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
    const stored = registry.tags.get(`${name}:latest`) ?? '';
    expect(answer.error().message).toContain(`Pull ${name}@${stored} instead`);
    expect((await app.get(pathOf(stored), { ...login, Accept: schema2 })).status).toBe(200);
  });

  it('costs a pusher that asks whether it is there one request', async () => {
    const { upstream, app } = start('docker');
    const tree = await treeOfSample('sample/oci');
    await pushTree(app, name, tree);
    upstream.forget();
    const headers = { ...login, Accept: `${ociManifest}, */*` };
    expect((await app.head(pathOf(digestOfRoot(tree)), headers)).status).toBe(404);
    expect(upstream.asked).toEqual([`HEAD ${pathOf(digestOfRoot(tree))}`]);
  });
});

describe('the digest of pushed schema 1, where schema 1 without a signature is refused', () => {
  const old = [
    ...(manifestRequestHeaders['Docker 1.9.1'] ?? []),
    ['Authorization', login.Authorization],
  ] as const;

  async function pushed() {
    const parts = start('oci', undefined, { REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' });
    const tree = await treeOfSample('sample/schema1');
    const answers = await pushTree(parts.app, name, tree);
    expect(answers.map(({ status }) => status)).toEqual([201]);
    return {
      ...parts,
      path: pathOf(digestOfRoot(tree)),
      replica: () => testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' }, parts.upstream.fetch),
    };
  }

  it('is refused with the reason, to every client and by every replica: the registry has the payload alone', async () => {
    const { app, replica, path } = await pushed();
    for (const each of [app, replica()]) {
      for (const headers of [old, { ...login, ...modern }]) {
        const answer = await each.get(path, headers);
        expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
        expect(answer.error().message).toMatch(/without a signature.*REGSHIFT_UNSIGNED_SCHEMA1/);
        expect((await each.head(path, headers)).status).toBe(404);
      }
    }
  });

  it('gives nothing away to a client without the right', async () => {
    const { registry, upstream, path } = await pushed();
    upstream.follow((request, url) =>
      request.headers.get('authorization') === login.Authorization
        ? registry.script(request, url)
        : specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge }),
    );
    const app = testApp({ REGSHIFT_UNSIGNED_SCHEMA1: 'refuse' }, upstream.fetch);
    expect((await app.get(path, { ...bob, ...modern })).status).toBe(401);
  });

  it('deletes the image, which is pulled by its tag until then', async () => {
    const { app, replica, registry, path } = await pushed();
    for (const headers of [old, { ...login, ...modern }]) {
      expect((await replica().get(`/v2/${name}/manifests/latest`, headers)).status).toBe(200);
    }
    expect((await app.send('DELETE', path, login)).status).toBe(202);
    expect([registry.tags.size, registry.manifests.size]).toEqual([0, 0]);
  });

  it('may be pushed again', async () => {
    const { app, registry } = await pushed();
    const again = await pushTree(app, name, await treeOfSample('sample/schema1'), 'again');
    expect(again.map(({ status }) => status)).toEqual([201]);
    expect(registry.tags.get(`${name}:again`)).toBe(registry.tags.get(`${name}:latest`));
  });
});

describe('two pushes of one tag at the same time', () => {
  it('leave one whole image', async () => {
    const { registry, app } = start('docker');
    const trees = [await treeOfSample('sample/oci'), await treeOfSample('sample/index')] as const;
    const answers = await Promise.all(trees.map((tree) => pushTree(app, name, tree)));
    expect(answers.flat().every(({ status }) => status === 201)).toBe(true);
    const tagged = await app.get(`/v2/${name}/manifests/latest`, { ...login, ...modern });
    expect(tagged.status).toBe(200);
    for (const tree of trees) {
      const answer = await app.get(pathOf(digestOfRoot(tree)), { ...login, ...modern });
      expect([answer.status, digestOf(answer.body)]).toEqual([200, digestOfRoot(tree)]);
    }
    expect(registry.tags.size).toBe(1);
  });
});
