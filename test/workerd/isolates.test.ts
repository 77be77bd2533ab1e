import { afterEach, describe, expect, test, vi } from 'vitest';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, scriptedUpstream } from '../support/scripted-upstream.ts';
import { behind, isolate, moveToAnotherLocation, namespace } from './isolate.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Reads a manifest's own digest and every digest in it, for all manifest formats. */
async function digestsIn(answer: Response): Promise<{ manifests: string[]; blobs: string[] }> {
  const own = answer.headers.get('docker-content-digest') ?? '';
  const {
    manifests = [],
    layers = [],
    fsLayers = [],
    config,
  } = JSON.parse(new TextDecoder().decode(await answer.arrayBuffer()));
  const of = (entries: { digest: string }[]) => entries.map(({ digest }) => digest);
  const sums = (fsLayers as { blobSum: string }[]).map(({ blobSum }) => blobSum);
  return {
    manifests: [own, ...of(manifests)],
    blobs: [...(config ? [config.digest] : []), ...of(layers), ...sums],
  };
}

describe('two isolates that share KV alone', () => {
  const settings = { RECIPES: namespace, REGSHIFT_WALK_TAGS: '0' };

  test.each([
    ['sample/oci', docker113],
    ['sample/oci', docker19],
    ['sample/index', docker113],
    ['sample/oci-zstd', docker113],
    ['sample/oci-zstd', docker19],
    ['sample/generic-v1-target', docker113],
  ])("serve each other's digests of %s", async (sample, headers) => {
    const first = await isolate(settings)(`/v2/${sample}/manifests/1.0`, headers);
    expect(first.headers.get('regshift-conversion')).not.toBeNull();
    const digests = await digestsIn(first);
    expect(digests.blobs.length + digests.manifests.length).toBeGreaterThan(2);
    moveToAnotherLocation();
    const other = isolate(settings);
    for (const digest of digests.manifests) {
      const answer = await other(`/v2/${sample}/manifests/${digest}`, headers);
      expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, digest]);
      for (const blob of (await digestsIn(answer)).blobs) digests.blobs.push(blob);
    }
    for (const digest of digests.blobs) {
      const answer = await other(`/v2/${sample}/blobs/${digest}`, docker113);
      expect([answer.status, digest]).toEqual([200, digest]);
      await answer.arrayBuffer();
    }
  });

  test('convert a manifest to the same bytes at the same time', async () => {
    const settings = { RECIPES: namespace };
    const path = '/v2/sample/schema2/manifests/latest';
    const answers = await Promise.all([isolate(settings)(path, docker19), isolate(settings)(path, docker19)]);
    const [first, second] = answers.map((answer) => [
      answer.headers.get('docker-content-digest'),
      answer.headers.get('content-length'),
    ]);
    expect(first).toEqual(second);
  });
});

test('recipes are in KV before the response with their digests', async () => {
  const written: string[] = [];
  const slow = {
    get: async () => null,
    put: async (key: string) => {
      if (key.startsWith('recipe:')) await new Promise((resolve) => setTimeout(resolve, 50));
      written.push(key);
    },
  };
  moveToAnotherLocation();
  const answer = await isolate({ RECIPES: slow })('/v2/sample/index/manifests/1.0', docker113);
  const { manifests } = await digestsIn(answer);
  const recipes = written.filter((key) => key.startsWith('recipe:'));
  expect(recipes.length).toBeGreaterThanOrEqual(manifests.length);
});

test('KV holds entries that regshift made, and no tags or content of the registry', async () => {
  const asked: string[] = [];
  const spy = {
    get: async (key: string) => {
      asked.push(key);
      return null;
    },
    put: async (key: string) => void asked.push(key),
  };
  moveToAnotherLocation();
  const ask = isolate({ RECIPES: spy });
  await ask('/v2/sample/oci-zstd/manifests/latest', docker113);
  await ask('/v2/sample/index/manifests/latest', docker113);
  await ask(`/v2/sample/index/manifests/sha256:${'a'.repeat(64)}`, docker113);
  const kinds = new Set(asked.map((key) => key.split(':')[0]));
  expect(kinds).toEqual(
    new Set(['recipe', 'product', 'made-config', 'layer-facts', 'compression', 'labels']),
  );
});

test("the registry's own blobs are served without a read of KV", async () => {
  let asked = 0;
  const spy = {
    get: async () => {
      asked += 1;
      return null;
    },
    put: async () => undefined,
  };
  moveToAnotherLocation();
  const anyone = [['Accept', '*/*']] as const;
  const { blobs } = await digestsIn(await isolate()('/v2/sample/schema2/manifests/latest', anyone));
  const ask = isolate({ RECIPES: spy });
  for (const digest of blobs) expect((await ask(`/v2/sample/schema2/blobs/${digest}`)).status).toBe(200);
  expect(blobs.length).toBeGreaterThan(1);
  expect(asked).toBe(0);
});

test('without KV the bounded search finds a digest, and without the search the digest is unknown', async () => {
  const path = '/v2/sample/oci/manifests';
  const first = await isolate()(`${path}/1.0`, docker113);
  const digest = first.headers.get('docker-content-digest');
  moveToAnotherLocation();
  expect((await isolate()(`${path}/${digest}`, docker113)).status).toBe(200);
  expect((await isolate({ REGSHIFT_WALK_TAGS: '0' })(`${path}/${digest}`, docker113)).status).toBe(404);
});

test('another isolate serves entries of a login to that login only', async () => {
  const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
  const settings = { RECIPES: namespace, ...behind(scriptedUpstream(privateTo(alice[1])).fetch) };
  const tag = '/v2/sample/oci/manifests/latest';
  const first = await isolate(settings)(tag, [...docker113, alice]);
  const byDigest = `/v2/sample/oci/manifests/${first.headers.get('docker-content-digest')}`;
  const { blobs } = await digestsIn(first);
  const other = isolate(settings);
  for (const path of [tag, byDigest, ...blobs.map((digest) => `/v2/sample/oci/blobs/${digest}`)]) {
    expect((await other(path, docker113)).status).toBe(401);
    expect((await other(path, [...docker113, alice])).status).toBe(200);
    expect((await other(path, docker113)).status).toBe(401);
  }
});
