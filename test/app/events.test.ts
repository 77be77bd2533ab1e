import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { RuntimePlatform } from '../../src/compose/platform.ts';
import { createWorkTurns } from '../../src/concurrency/work-turns.ts';
import { knownClientById } from '../../src/negotiation/known-clients.ts';
import type { ConversionFacts, Metrics, WarmResult } from '../../src/observability/metrics.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { type TestApp, testApp, upstreamUrl } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { layerContent } from '../support/layer-content.ts';
import { createMemoryBlobStore, storedKey } from '../support/memory-blob-store.ts';
import { holding, network } from '../support/network.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { compressedImage } from '../support/packed-image.ts';
import { pull } from '../support/pull.ts';
import {
  artifactoryWebhook,
  azureWebhook,
  dockerRegistryEvent,
  dockerRegistryPush,
  ecrEvent,
  giteaWebhook,
  harborCloudEvent,
  harborWebhook,
  notificationOf,
  quayWebhook,
  type SentNotification,
  zotEvent,
} from '../support/registry-events.ts';
import {
  basicChallenge,
  countingPulls,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
} from '../support/scripted-upstream.ts';

const secret = 'a secret of 32 characters, or so'.replaceAll(' ', '-').replace(',', '');
const withSecret = { authorization: `Bearer ${secret}` };

interface Receipt {
  readonly queued: number;
  readonly dropped: number;
  readonly ignored: number;
}

/** Counts conversions and results of jobs. */
function counting() {
  const conversions: ConversionFacts['result'][] = [];
  const warmed: WarmResult[] = [];
  const events: string[] = [];
  const metrics: Metrics = {
    ...noMetrics,
    conversion: ({ result }) => conversions.push(result),
    warmed: (result) => warmed.push(result),
    registryEvent: (source, result) => events.push(`${source} ${result}`),
  };
  return { conversions, warmed, events, metrics };
}

const files = tar([{ kind: 'file', path: 'words', content: layerContent(10_000) }]);
const zstdLayer = {
  mediaType: mediaTypes.ociLayerZstd,
  compressed: zstd(files, { contentSize: true }).slice() as Uint8Array<ArrayBuffer>,
  tar: files,
};
const image = () => compressedImage('team/packed', [zstdLayer]);

/** The digest that the registry has for the tag. */
async function storedDigest(): Promise<string> {
  const url = `${upstreamUrl}/v2/team/packed/manifests/latest`;
  const response = await image()(new Request(url), new URL(url));
  return response?.headers.get('docker-content-digest') ?? '';
}
const pushed = { repository: 'team/packed', tag: 'latest', digest: await storedDigest() };

function appWith(
  variables: Record<string, string> = {},
  script: Script = image(),
  platform: Partial<RuntimePlatform> = {},
) {
  const upstream = scriptedUpstream(script);
  const counts = counting();
  const app = testApp({ REGSHIFT_EVENTS_SECRET: secret, ...variables }, upstream.fetch, {
    metrics: counts.metrics,
    ...platform,
  });
  return { app, upstream, ...counts };
}

function notify(
  app: TestApp,
  { headers, body }: SentNotification,
  path = '/events',
  own: object = withSecret,
) {
  return app.send('POST', path, { ...headers, ...own }, { body });
}

async function receiptOf(app: TestApp, sent: SentNotification, path?: string): Promise<Receipt> {
  const answer = await notify(app, sent, path);
  expect(answer.status, answer.text()).toBe(202);
  return JSON.parse(answer.text()) as Receipt;
}

const pushes: readonly (readonly [string, SentNotification])[] = [
  ['docker-registry', dockerRegistryPush(pushed)],
  ['Harbor', harborWebhook('PUSH_ARTIFACT', pushed)],
  ['Harbor, as a CloudEvent', harborCloudEvent('harbor.artifact.pushed', pushed)],
  ['Harbor 1.10', harborWebhook('pushImage', pushed)],
  ['Quay', quayWebhook(pushed, { updated_tags: ['latest'] })],
  ['Azure', azureWebhook('push', pushed)],
  ['zot', zotEvent('zotregistry.image.updated', pushed)],
  ['Artifactory', artifactoryWebhook('pushed', pushed)],
  ['Artifactory, as a promotion', artifactoryWebhook('promoted', pushed)],
  [
    'a pipeline (docs/events.md, "Other registries")',
    notificationOf({
      events: [
        {
          action: 'push',
          target: { mediaType: mediaTypes.ociManifest, repository: 'team/packed', tag: 'latest' },
        },
      ],
    }),
  ],
  ['ECR', ecrEvent('PUSH', pushed)],
  ['Gitea', giteaWebhook('created', { ...pushed, repository: 'Team/packed' })],
];

describe('a tag that names what was pushed', () => {
  it.each([
    ['by the digest in the notification', pushed],
    ['as far as a notification without a digest tells', { ...pushed, digest: '' }],
  ])('%s is made without a wait for it', async (_, event) => {
    const { app, upstream, warmed } = appWith({ REGSHIFT_WARM: 'docker-20.10' });
    await receiptOf(app, dockerRegistryPush(event));
    await vi.waitFor(() => expect(warmed).toEqual(['made']), 10_000);
    const heads = upstream.asked.filter((each) => each === 'HEAD /v2/team/packed/manifests/latest');
    expect(heads).toHaveLength(2);
    await app.settled();
  });
});

describe('a registry that refuses a tag', () => {
  it('is not asked for it again, as for one that is not there yet', async () => {
    const refusing = () => specError(403, 'DENIED');
    const { app, upstream, warmed } = appWith({ REGSHIFT_WARM: 'docker-20.10' }, refusing);
    await receiptOf(app, dockerRegistryPush(pushed));
    await vi.waitFor(() => expect(warmed).toEqual(['refused']), 10_000);
    expect(upstream.asked.filter((each) => each.endsWith('/manifests/latest')).length).toBeLessThanOrEqual(2);
    await app.settled();
  });
});

describe('an index that clients get as it is', () => {
  it('is in memory with the image that they choose, as far as their next requests go', async () => {
    const { app, upstream, warmed } = appWith({ REGSHIFT_WARM: 'docker-28' }, () => undefined);
    await receiptOf(app, dockerRegistryPush({ repository: 'sample/index', tag: 'latest', digest: '' }));
    await app.settled();
    expect(warmed).toEqual(['made']);
    upstream.forget();
    const { userAgent, accept } = knownClientById('docker-28') ?? { userAgent: '', accept: [] };
    const headers = { 'User-Agent': userAgent, Accept: accept.join(', ') };
    const index = await app.get('/v2/sample/index/manifests/latest', headers);
    const [image] = (JSON.parse(index.text()) as { manifests: { digest: string }[] }).manifests;
    expect((await app.get(`/v2/sample/index/manifests/${image?.digest}`, headers)).status).toBe(200);
    expect(upstream.asked.filter((each) => each.startsWith('GET'))).toEqual([]);
  });
});

describe.each(pushes)('after a push that %s notifies of', (_, sent) => {
  it.each<OldClient>(['Docker 1.9.1', 'Docker 1.13.1', 'Docker 20.10'])(
    'the first pull by %s converts nothing and reads no layer for it',
    async (client) => {
      const { app, upstream, conversions } = appWith();
      expect(await receiptOf(app, sent)).toEqual({ queued: 3, dropped: 0, ignored: 0 });
      await app.settled();
      expect(conversions).toContain('made');
      conversions.length = 0;
      upstream.forget();
      await app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders[client]);
      expect(conversions.filter((result) => result !== 'remembered')).toEqual([]);
      expect(upstream.asked.filter((each) => !each.startsWith('HEAD '))).toEqual([]);
    },
  );
});

describe('what clients get after a push', () => {
  it.each<OldClient>(['Docker 1.9.1', 'Docker 1.13.1', 'Docker 20.10'])(
    '%s gets the same bytes as without',
    async (client) => {
      const { app } = appWith();
      await receiptOf(app, dockerRegistryPush(pushed));
      await app.settled();
      const made = await pull(app, client, 'team/packed');
      const other = await pull(appWith().app, client, 'team/packed');
      const digest = (of: typeof made) => of.root.header('Docker-Content-Digest');
      expect(digest(made)).toBe(digest(other));
      expect([...made.blobs.keys()]).toEqual([...other.blobs.keys()]);
    },
  );

  it('is made for the generations of REGSHIFT_WARM alone, Docker 1.5 among them', async () => {
    const { app, warmed, logged } = { ...appWith({ REGSHIFT_WARM: 'docker-1.5' }), logged: [] };
    expect((await receiptOf(app, dockerRegistryPush(pushed))).queued).toBe(1);
    await app.settled();
    expect(warmed, JSON.stringify(app.logged)).toEqual(['made']);
    expect(logged).toEqual([]);
  });

  it('is nothing with REGSHIFT_WARM=none, but a moved tag is seen at once', async () => {
    const { app, upstream } = appWith({ REGSHIFT_WARM: 'none' });
    const ask = () => app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 20.10']);
    await ask();
    upstream.forget();
    await ask();
    expect(upstream.asked).toEqual([]);
    expect((await receiptOf(app, dockerRegistryPush(pushed))).queued).toBe(0);
    await ask();
    expect(upstream.asked).toContain('HEAD /v2/team/packed/manifests/latest');
  });

  it.each([
    [
      'docker-registry',
      notificationOf({ events: [dockerRegistryEvent('delete', { repository: 'team/packed' })] }),
    ],
    ['Harbor', harborWebhook('DELETE_ARTIFACT', pushed)],
    ['Harbor 1.10', harborWebhook('deleteImage', pushed)],
    ['Azure', azureWebhook('delete', { repository: 'team/packed' })],
    ['zot', zotEvent('zotregistry.image.deleted', pushed)],
    ['Artifactory', artifactoryWebhook('deleted', pushed)],
    ['ECR', ecrEvent('DELETE', pushed)],
    ['Gitea', giteaWebhook('deleted', pushed)],
    [
      'the registry of GitLab, as a new name',
      notificationOf({
        events: [
          {
            action: 'rename',
            target: {
              rename: { type: 'name', from: 'team/packed', to: 'team/other' },
              repository: 'team/packed',
            },
          },
        ],
      }),
    ],
  ])('is asked anew after a deletion that %s notifies of', async (_, deleted) => {
    const { app, upstream } = appWith();
    const ask = () => app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 20.10']);
    await ask();
    expect(await receiptOf(app, deleted)).toEqual({ queued: 0, dropped: 0, ignored: 0 });
    upstream.follow(() => specError(404, 'MANIFEST_UNKNOWN'));
    expect((await ask()).status).toBe(404);
  });
});

describe('a registry that notifies before it moves the tag, as docker-registry does', () => {
  const before = compressedImage('team/packed', [
    { ...zstdLayer, mediaType: mediaTypes.ociLayer, compressed: files.slice() as Uint8Array<ArrayBuffer> },
  ]);

  it.each([
    ['a new tag', () => specError(404, 'MANIFEST_UNKNOWN')],
    ['a moved tag', before],
    // Its registry answers so while it writes the file of a tag.
    ['a tag in the middle of its move', () => specError(500, 'UNKNOWN')],
  ])('%s is made ahead as it will be', async (_, early) => {
    const { app, upstream, warmed, conversions } = appWith({}, early);
    await receiptOf(app, dockerRegistryPush(pushed));
    await new Promise((resolve) => setTimeout(resolve, 250));
    upstream.follow(image());
    await app.settled();
    expect(warmed).toEqual(['made', 'made', 'made']);
    conversions.length = 0;
    const answer = await app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
    expect(answer.header('Regshift-Source-Digest')).toBe(pushed.digest);
    expect(conversions.filter((result) => result !== 'remembered')).toEqual([]);
  });

  it('a client that got the old image while the tag was looked for gets the new one at once', async () => {
    const alice = {
      ...Object.fromEntries(manifestRequestHeaders['Docker 1.13.1'] ?? []),
      authorization: 'Basic YWxpY2U6c2VjcmV0',
    };
    const gate = createGate();
    const late = image();
    let current = before;
    const { app, warmed } = appWith({ REGSHIFT_WARM: 'docker-20.10' }, (async (
      request: Request,
      url: URL,
    ) => {
      const isTag = url.pathname.endsWith('/manifests/latest');
      if (isTag && !request.headers.has('authorization')) await gate.pass();
      return current(request, url);
    }) as never);
    const ask = async () =>
      (await app.get('/v2/team/packed/manifests/latest', alice)).header('Regshift-Source-Digest');
    await receiptOf(app, dockerRegistryPush(pushed));
    await vi.waitFor(() => expect(gate.waiting).toBe(1));
    expect(await ask()).not.toBe(pushed.digest);
    current = late;
    gate.open();
    await vi.waitFor(() => expect(warmed).toEqual(['made']));
    expect(await ask()).toBe(pushed.digest);
    await app.settled();
  });

  it('a pull from the time between does not keep the old image', async () => {
    const { app, upstream } = appWith({ REGSHIFT_WARM: 'none' }, before);
    const ask = () => app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
    await receiptOf(app, dockerRegistryPush(pushed));
    await ask();
    upstream.follow(image());
    await app.settled();
    expect((await ask()).header('Regshift-Source-Digest')).toBe(pushed.digest);
  });

  it('nor does one from the time after the second of two events, as of a push of two tags', async () => {
    const { app, upstream } = appWith({ REGSHIFT_WARM: 'none' }, before);
    const ask = () => app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    await receiptOf(app, dockerRegistryPush({ ...pushed, tag: '1.0' }));
    await vi.advanceTimersByTimeAsync(1_400);
    await receiptOf(app, dockerRegistryPush(pushed));
    await vi.advanceTimersByTimeAsync(200);
    await ask();
    upstream.follow(image());
    await vi.advanceTimersByTimeAsync(1_400);
    expect((await ask()).header('Regshift-Source-Digest')).toBe(pushed.digest);
  });

  it('nor does one after a clean-up that deleted a thousand tags', async () => {
    const { app, upstream } = appWith({ REGSHIFT_WARM: 'none' }, before);
    const ask = () => app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
    const deletion = dockerRegistryEvent('delete', { ...pushed, repository: 'team/other' });
    const clean = notificationOf({ events: Array.from({ length: 100 }, () => deletion) });
    for (let sent = 0; sent < 10; sent += 1) await receiptOf(app, clean);
    await receiptOf(app, dockerRegistryPush(pushed));
    await ask();
    upstream.follow(image());
    await app.settled();
    expect((await ask()).header('Regshift-Source-Digest')).toBe(pushed.digest);
  });

  it('nor does one while the image waits behind others to be made', async () => {
    const gate = createGate();
    let current = before;
    const { app } = appWith({ REGSHIFT_WARM: 'docker-1.9, docker-1.13' }, (async (
      request: Request,
      url: URL,
    ) => {
      if (url.pathname.includes('/slow/')) await gate.pass();
      return current(request, url);
    }) as never);
    const ask = () => app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    await receiptOf(app, dockerRegistryPush({ ...pushed, repository: 'team/slow' }));
    await receiptOf(app, dockerRegistryPush(pushed));
    await ask();
    current = image();
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await ask()).header('Regshift-Source-Digest')).toBe(pushed.digest);
    gate.open();
    await vi.runAllTimersAsync();
  });
});

describe('with a store for layers', () => {
  const blobs = (asked: readonly string[]) =>
    asked.filter((each) => each === `GET /v2/team/packed/blobs/${digestOf(zstdLayer.compressed)}`);

  it.each(['docker-1.5', 'docker-1.9', 'docker-20.10'])(
    'the decompressed layer is in it before the first pull: %s',
    async (client) => {
      const store = createMemoryBlobStore();
      const { app, warmed, upstream } = appWith({ REGSHIFT_WARM: client }, image(), { store });
      await receiptOf(app, dockerRegistryPush(pushed));
      await app.settled();
      expect(warmed).toEqual(['made']);
      expect([...store.blobs]).toEqual([[storedKey(digestOf(files)), files]]);
      upstream.forget();
      expect((await app.get(`/v2/team/packed/blobs/${digestOf(files)}`)).body).toEqual(files);
      expect(blobs(upstream.asked)).toEqual([]);
    },
  );

  it('the layers of the image below an index are in it', async () => {
    const store = createMemoryBlobStore();
    const variables = { REGSHIFT_WARM: 'docker-20.10' };
    const { app, warmed } = appWith(variables, () => undefined, { store });
    await receiptOf(app, dockerRegistryPush({ repository: 'sample/index-zstd', tag: 'latest', digest: '' }));
    await app.settled();
    expect(warmed).toEqual(['made']);
    const { blobs: pulled, root } = await pull(app, 'Docker 20.10', 'sample/index-zstd');
    expect(root.status).toBe(200);
    expect(store.blobs.size).toBeGreaterThan(0);
    for await (const { digest, size } of store.list?.() ?? []) expect(pulled.get(digest)).toHaveLength(size);
  });

  it('a layer of zstd that is labelled gzip is in it, too', async () => {
    const mislabelled = compressedImage('team/packed', [
      { ...zstdLayer, mediaType: mediaTypes.ociLayerGzip },
    ]);
    const store = createMemoryBlobStore();
    const { app, warmed } = appWith({ REGSHIFT_WARM: 'docker-20.10' }, mislabelled, { store });
    await receiptOf(app, dockerRegistryPush({ ...pushed, digest: '' }));
    await app.settled();
    expect(warmed).toEqual(['made']);
    expect([...store.blobs]).toEqual([[storedKey(digestOf(files)), files]]);
  });

  it('a layer that it has is not read again, and looked for once', async () => {
    const store = createMemoryBlobStore();
    const { app, upstream, warmed } = appWith({ REGSHIFT_WARM: 'docker-20.10' }, image(), { store });
    await receiptOf(app, dockerRegistryPush(pushed));
    await app.settled();
    const before = store.lookups;
    upstream.forget();
    await receiptOf(app, dockerRegistryPush(pushed));
    await app.settled();
    expect(warmed).toEqual(['made', 'made']);
    expect([store.writes, store.lookups - before]).toEqual([1, 1]);
    expect(blobs(upstream.asked)).toEqual([]);
  });

  it('nothing is stored without memory for what a digest is (REGSHIFT_CACHE_BYTES=0), and nothing fails', async () => {
    const store = createMemoryBlobStore();
    const { app, warmed } = appWith({ REGSHIFT_CACHE_BYTES: '0' }, image(), { store });
    await receiptOf(app, dockerRegistryPush(pushed));
    await app.settled();
    expect(warmed).toEqual(['made', 'made', 'made']);
    expect(store.blobs.size).toBe(0);
  });
});

/** A webhook of Artifactory with other members. */
function artifactoryOf(members: object): SentNotification {
  const { body } = artifactoryWebhook('pushed', pushed);
  return notificationOf({ ...(JSON.parse(new TextDecoder().decode(body)) as object), ...members });
}

describe('events that ask for nothing', () => {
  it.each([
    ['a pull', notificationOf({ events: [dockerRegistryEvent('pull', pushed)] })],
    ['a mount', notificationOf({ events: [dockerRegistryEvent('mount', pushed)] })],
    [
      'the push of a blob',
      notificationOf({
        events: [dockerRegistryEvent('push', { ...pushed, mediaType: 'application/octet-stream' })],
      }),
    ],
    ['a pull from Harbor', harborWebhook('PULL_ARTIFACT', pushed)],
    ['a quota of Harbor', notificationOf({ type: 'QUOTA_EXCEED', event_data: {} })],
    ['a pull from Harbor, as a CloudEvent', harborCloudEvent('harbor.artifact.pulled', pushed)],
    ['a vulnerability of Quay', quayWebhook(pushed, { tags: ['latest'], vulnerability: {} })],
    ['a quarantine of Azure', azureWebhook('quarantine', pushed)],
    [
      'a ping of Azure',
      notificationOf({ id: 'cb8c3971', timestamp: '2017-11-17T16:52:01Z', action: 'ping' }),
    ],
    ['a lint of zot', zotEvent('zotregistry.image.lint_failed', pushed)],
    ['a new repository of zot', zotEvent('zotregistry.repository.created', pushed)],
    ['a file of Artifactory', artifactoryOf({ domain: 'artifact', event_type: 'deployed' })],
    [
      'a failed push of ECR',
      ecrEvent('PUSH', pushed, { detail: { result: 'FAILURE', 'action-type': 'PUSH' } }),
    ],
    ['a scan of ECR', ecrEvent('PUSH', pushed, { 'detail-type': 'ECR Image Scan' })],
    ['a package of npm of Gitea', giteaWebhook('created', pushed, 'npm')],
    [
      'the test of a webhook of Gitea',
      notificationOf({ ref: 'refs/heads/main', commits: [], sender: {} }, { 'x-gitea-event': 'push' }),
    ],
    ['a name that no repository has', dockerRegistryPush({ repository: '../../etc', tag: 'latest' })],
    ['a repository that is not served', dockerRegistryPush({ repository: 'other/app', tag: 'latest' })],
  ])('%s', async (_, sent) => {
    const { app, upstream } = appWith({ REGSHIFT_REPOSITORIES: 'team/**' });
    expect(await receiptOf(app, sent)).toEqual({ queued: 0, dropped: 0, ignored: 1 });
    await app.settled();
    expect(upstream.asked).toEqual([]);
  });

  it('a push by digest makes nothing ahead: an index pushes its images so', async () => {
    const { app } = appWith();
    const sent = dockerRegistryPush({ repository: 'team/packed' });
    expect(await receiptOf(app, sent)).toEqual({ queued: 0, dropped: 0, ignored: 0 });
  });
});

describe('a request that is no notification', () => {
  const hostile: readonly unknown[] = [
    null,
    1,
    'text',
    [],
    {},
    [[[]]],
    { events: 'none' },
    { type: 'PUSH_ARTIFACT' },
    { specversion: '1.0' },
    { specversion: '1.0', type: 'com.example.other', data: {} },
    { type: { toString: 1 }, event_data: null },
    { domain: 'docker', event_type: 'pushed' },
    { domain: 'docker', event_type: 7, data: {} },
    { source: { addr: 'aws.ecr' }, detail: {} },
    { action: 'created', package: { type: 'container' }, sender: {} },
  ];
  it.each(hostile.map((body) => [JSON.stringify(body), body] as const))('%s gets 400', async (_, body) => {
    const answer = await notify(appWith().app, notificationOf(body));
    expect(answer.status).toBe(400);
    expect(answer.error().message).toContain('no notification of a registry that regshift knows');
  });

  it.each([
    [{ events: [null, 1, 'push', [], {}, { action: 'push' }, { action: 'push', target: null }] }],
    [{ events: [{ action: 'push', target: { repository: 7, mediaType: [], tag: {} } }] }],
    [{ events: [{ action: 'constructor', target: { repository: 'team/packed' } }] }],
    [{ type: 'PUSH_ARTIFACT', event_data: null }],
    [{ type: 'constructor', event_data: { resources: [1] } }],
    [{ type: 'PUSH_ARTIFACT', event_data: { resources: [null, { tag: 1 }], repository: [] } }],
    [{ docker_url: 'registry.test/team/packed', repository: 7, updated_tags: ['latest'] }],
    [{ docker_url: 'registry.test/team/packed', repository: 'team/packed', updated_tags: [null, 1, {}] }],
    [{ docker_url: 'registry.test/team/packed', repository: 'team/packed', updated_tags: 7 }],
    [{ id: '1', timestamp: '1', action: 'push' }],
    [{ specversion: '1.0', type: 'harbor.artifact.pushed' }],
    [{ domain: 'docker', event_type: 'constructor', data: { repo_key: 'team', image_name: 'packed' } }],
    [{ domain: 'docker', event_type: 'pushed', data: null }],
    [{ domain: 'docker', event_type: 'pushed', data: { repo_key: 7, image_name: 'packed', tag: 'latest' } }],
    [{ domain: 'docker', event_type: 'pushed', data: { repo_key: 'team', path: [], image_name: {} } }],
    [
      {
        domain: 'docker',
        event_type: 'pushed',
        data: { repo_key: 'team', path: '/1/m', tag: '1', name: 'm' },
      },
    ],
    [{ source: 'aws.ecr' }],
    [{ source: 'aws.ecr', 'detail-type': 'ECR Image Action', detail: 'text' }],
    [
      {
        source: 'aws.ecr',
        'detail-type': 'ECR Image Action',
        detail: { result: 'SUCCESS', 'action-type': 'constructor', 'repository-name': 'team/packed' },
      },
    ],
    [
      {
        source: 'aws.ecr',
        'detail-type': 'ECR Image Action',
        account: ['123456789012'],
        region: { toString: 1 },
        detail: { result: 'SUCCESS', 'action-type': 'PUSH', 'repository-name': 7, 'image-tag': 'latest' },
      },
    ],
    [{ specversion: '1.0', type: 'zotregistry.image.updated', data: 'text' }],
  ])('%j is taken and causes nothing', async (body) => {
    const { app, upstream } = appWith();
    expect(await receiptOf(app, notificationOf(body))).toMatchObject({ queued: 0 });
    await app.settled();
    expect(upstream.asked).toEqual([]);
  });

  it.each([
    { action: 'constructor', package: { type: 'container', owner: { login: 'team' }, name: 'packed' } },
    { action: 'created', package: null },
    { action: 'created', package: { type: 'container', owner: 'team', name: 'packed', version: 'latest' } },
    { action: 'created', package: { type: 'container', owner: { login: 7 }, name: 'packed' } },
    { action: 'created', package: { type: 'container', owner: { login: 'team' }, name: ['packed'] } },
  ])('%j of Gitea is taken and causes nothing', async (body) => {
    const { app, upstream } = appWith();
    const sent = notificationOf({ ...body, sender: {} }, { 'x-gitea-event': 'package' });
    expect(await receiptOf(app, sent)).toMatchObject({ queued: 0 });
    await app.settled();
    expect(upstream.asked).toEqual([]);
  });

  it('gets 400 for what is no JSON', async () => {
    const answer = await notify(appWith().app, {
      headers: {},
      body: new TextEncoder().encode('{"events":['),
    });
    expect(answer.status).toBe(400);
  });

  it('gets 413 beyond 2 MiB', async () => {
    const answer = await notify(appWith().app, { headers: {}, body: new Uint8Array(2 * 2 ** 20 + 1) });
    expect(answer.status).toBe(413);
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(2 ** 20)),
    });
    expect((await appWith().app.send('POST', '/events', withSecret, { body: stream })).status).toBe(413);
  });
});

describe('the secret', () => {
  it.each([
    ['as a Bearer token', { authorization: `Bearer ${secret}` }],
    ['as the password of any user', { authorization: `Basic ${btoa(`zot:${secret}`)}` }],
    ['as all of Authorization, which is what Harbor sends', { authorization: secret }],
    ['in the header of Artifactory', { 'x-jfrog-event-auth': secret }],
    ['in a header of its own', { 'regshift-events-secret': secret, authorization: 'Basic b3RoZXI6b25l' }],
  ])('is taken %s', async (_, headers) => {
    expect((await notify(appWith().app, dockerRegistryPush(pushed), '/events', headers)).status).toBe(202);
  });

  it.each([
    ['nothing', {}],
    ['a wrong one', { authorization: `Bearer ${secret}x` }],
    ['a part of it', { authorization: `Bearer ${secret.slice(0, -1)}` }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['a wrong one in the header of Artifactory', { 'x-jfrog-event-auth': `${secret}x` }],
    ['it as a user', { authorization: `Basic ${btoa(`${secret}:other`)}` }],
  ])('%s gets 401, one line in the log, and no work', async (_, headers) => {
    const { app, upstream } = appWith();
    for (let times = 0; times < 5; times += 1) {
      const answer = await notify(app, dockerRegistryPush(pushed), '/events', headers);
      expect(answer.status).toBe(401);
      expect(answer.header('WWW-Authenticate')).toBe('Basic realm="regshift events"');
    }
    await app.settled();
    expect(upstream.asked).toEqual([]);
    const lines = app.logged.filter(({ message }) => message.includes('REGSHIFT_EVENTS_SECRET'));
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
    expect(JSON.stringify(app.logged)).not.toContain(secret.slice(0, -1));
  });

  it('is off by default: there is nothing at /events, with a secret or without', async () => {
    const app = testApp({}, scriptedUpstream().fetch);
    const answer = await notify(app, dockerRegistryPush(pushed));
    const other = await app.send('POST', '/other');
    expect([answer.status, answer.error().code]).toEqual([other.status, other.error().code]);
    expect(answer.status).toBe(404);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('other methods get 405, which says POST: %s', async (method) => {
    const { app, upstream } = appWith({});
    const answer = await app.send(method, '/events', withSecret);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    if (method !== 'HEAD') {
      expect(answer.error().message).toBe('Registries send notifications to this path by POST.');
    }
    expect(upstream.asked).toEqual([]);
  });

  it('is not the login of clients, which get 401 without theirs', async () => {
    const { app } = appWith({
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'proxy',
      REGSHIFT_UPSTREAM_PASSWORD: 'word',
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq\n',
    });
    expect((await app.get('/v2/', withSecret)).status).toBe(401);
    expect((await app.get('/events', withSecret)).status).toBe(401);
    expect((await notify(app, dockerRegistryPush(pushed))).status).toBe(202);
  });
});

describe('the account', () => {
  const proxy = `Basic ${btoa('proxy:word')}`;
  const own = {
    REGSHIFT_UPSTREAM_AUTH: 'basic',
    REGSHIFT_UPSTREAM_USERNAME: 'proxy',
    REGSHIFT_UPSTREAM_PASSWORD: 'word',
    REGSHIFT_CLIENT_AUTH: 'none',
  };
  const closed = () => {
    const open = image();
    return (request: Request, url: URL) => privateTo(proxy)(request, url) ?? open(request, url);
  };

  it('is that of the proxy where it has one', async () => {
    const { app, warmed, upstream } = appWith(own, closed());
    await receiptOf(app, dockerRegistryPush(pushed));
    await app.settled();
    expect(warmed).toEqual(['made', 'made', 'made']);
    expect(upstream.carried.at(-1)).toBe(proxy);
  });

  it('is none in passthrough, and the log says once what is missing', async () => {
    const { app, warmed, upstream } = appWith({}, closed());
    for (const tag of ['latest', 'other']) await receiptOf(app, dockerRegistryPush({ ...pushed, tag }));
    await app.settled();
    expect(new Set(warmed)).toEqual(new Set(['refused']));
    expect(upstream.carried.filter((each) => each !== null)).toEqual([]);
    const lines = app.logged.filter(({ level }) => level === 'warn');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.message).toContain('its registry asks for a login, and regshift has none of its own');
    expect(basicChallenge).toContain('Basic');
  });

  it('never opens a private image to a client without a login', async () => {
    const { app } = appWith({}, closed());
    await receiptOf(app, dockerRegistryPush(pushed));
    await app.settled();
    expect(
      (await app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 20.10'])).status,
    ).toBe(401);
  });
});

describe('bounds', () => {
  it('makes nothing where the registry counts pulls, and takes no pull to learn it', async () => {
    const { app, warmed, upstream } = appWith({}, countingPulls as never);
    await receiptOf(app, dockerRegistryPush({ repository: 'sample/oci', tag: 'latest', digest: '' }));
    await app.settled();
    expect(warmed).toEqual(['counted', 'counted', 'counted']);
    expect(upstream.asked.filter((each) => !each.startsWith('HEAD'))).toEqual([]);
  });

  it('a flood fills the queue, and what is beyond it is dropped with one line', async () => {
    let asked = 0;
    const missing = async () => {
      asked += 1;
      return specError(403, 'DENIED');
    };
    const { warmed, metrics } = counting();
    const variables = { REGSHIFT_EVENTS_SECRET: secret, REGSHIFT_WARM: 'docker-1.13' };
    const app = testApp(variables, missing, { metrics });
    const many = (from: number) =>
      notificationOf({
        events: Array.from({ length: 100 }, (_, at) =>
          dockerRegistryEvent('push', { ...pushed, tag: `t${from + at}` }),
        ),
      });
    const receipts: Receipt[] = [];
    const sent = Array.from({ length: 15 }, (_, at) => receiptOf(app, many(at * 100)));
    receipts.push(...(await Promise.all(sent)));
    const dropped = receipts.reduce((sum, each) => sum + each.dropped, 0);
    const queued = receipts.reduce((sum, each) => sum + each.queued, 0);
    expect(dropped + queued).toBe(1500);
    expect(dropped).toBeGreaterThan(300);
    expect(app.logged.filter(({ message }) => message.startsWith('too many images wait'))).toHaveLength(1);
    await app.settled();
    expect(warmed.filter((each) => each === 'dropped')).toHaveLength(dropped);
    expect(asked).toBeLessThanOrEqual(queued * 2);
  });

  it('images that fail one after the other cause one warning a minute, which counts the others', async () => {
    const variables = {
      REGSHIFT_WARM: 'docker-1.13, docker-20.10',
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'proxy',
      REGSHIFT_UPSTREAM_PASSWORD: 'word',
      REGSHIFT_CLIENT_AUTH: 'none',
    };
    const { app, warmed } = appWith(variables, () => specError(403, 'DENIED'));
    const burst = (name: string) =>
      notificationOf({
        events: Array.from({ length: 20 }, (_, at) =>
          dockerRegistryEvent('push', { ...pushed, tag: `${name}-${at}` }),
        ),
      });
    const failures = () => app.logged.filter(({ message }) => message.includes('could not be made ahead'));
    const warnings = () => failures().filter(({ level }) => level === 'warn');
    await receiptOf(app, burst('first'));
    await vi.waitFor(() => expect(warmed).toHaveLength(40), 10_000);
    expect(warnings()).toHaveLength(1);
    expect(failures().filter(({ level }) => level === 'debug')).toHaveLength(39);
    app.advance(61);
    await receiptOf(app, burst('second'));
    await vi.waitFor(() => expect(warmed).toHaveLength(80), 10_000);
    expect(warnings().map(({ facts }) => facts?.unlogged)).toEqual([undefined, 39]);
    await app.settled();
  });

  it('an image that stood in the queue for as long as a tag may take is not waited for again', async () => {
    const gate = createGate();
    const { app, upstream, warmed } = appWith({ REGSHIFT_WARM: 'docker-20.10' }, (async (
      _: Request,
      { pathname }: URL,
    ) => {
      await gate.pass();
      return pathname.includes('gone') ? specError(404, 'MANIFEST_UNKNOWN') : specError(403, 'DENIED');
    }) as never);
    const events = ['first', 'second', 'gone-1', 'gone-2'].map((tag) =>
      dockerRegistryEvent('push', { ...pushed, tag }),
    );
    await receiptOf(app, notificationOf({ events }));
    await vi.waitFor(() => expect(gate.waiting).toBe(2));
    app.advance(5);
    gate.open();
    await app.settled();
    expect(warmed).toEqual(['refused', 'refused', 'failed', 'failed']);
    expect(upstream.asked.filter((each) => each.endsWith('/gone-1')).length).toBeLessThanOrEqual(2);
  });

  it('two jobs at most run at once, and equal ones that wait are one', async () => {
    let [now, most] = [0, 0];
    const open = image();
    const { app, upstream } = appWith({}, (async (request: Request, url: URL) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return open(request, url);
    }) as never);
    for (let times = 0; times < 20; times += 1) await receiptOf(app, dockerRegistryPush(pushed));
    await app.settled();
    expect(most).toBeLessThanOrEqual(2);
    expect(
      upstream.asked.filter((each) => each.startsWith('GET') && each.includes('/manifests/')).length,
    ).toBeLessThan(20);
  });

  it('a pull does not wait for a layer that is read ahead', async () => {
    const open = image();
    let reads = 0;
    const { app } = appWith({ REGSHIFT_WARM: 'docker-1.13' }, (async (request: Request, url: URL) => {
      const isLayer = url.pathname.endsWith(digestOf(zstdLayer.compressed));
      const isWhole = isLayer && !request.headers.has('range');
      if (isWhole) reads += 1;
      // The read ahead hangs; that of the client comes second.
      if (isWhole && reads === 1)
        await new Promise((_, reject) => request.signal.addEventListener('abort', reject));
      return open(request, url);
    }) as never);
    await receiptOf(app, dockerRegistryPush(pushed));
    while (reads === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const answer = await app.get('/v2/team/packed/manifests/latest', manifestRequestHeaders['Docker 1.13.1']);
    expect(answer.status).toBe(200);
    expect(reads).toBe(2);
    await app.settled();
  });

  it('an event beyond the hundredth of a notification is left out', async () => {
    const { app } = appWith({ REGSHIFT_WARM: 'none' });
    const events = Array.from({ length: 150 }, () => dockerRegistryEvent('push', pushed));
    expect(await receiptOf(app, notificationOf({ events }))).toEqual({ queued: 0, dropped: 0, ignored: 50 });
  });

  it('on Workers, the jobs of a notification share REGSHIFT_SUBREQUESTS and end with its work', async () => {
    const upstream = scriptedUpstream(() => specError(500, 'UNKNOWN'));
    const { metrics, warmed } = counting();
    const variables = { REGSHIFT_EVENTS_SECRET: secret, REGSHIFT_SUBREQUESTS: '20' };
    const app = testApp(variables, upstream.fetch, { metrics, backgroundMs: 25_000 });
    const events = Array.from({ length: 50 }, (_, at) =>
      dockerRegistryEvent('push', { ...pushed, tag: `t${at}` }),
    );
    await receiptOf(app, notificationOf({ events }));
    await app.settled();
    expect(upstream.asked.length).toBeLessThanOrEqual(40);
    expect(warmed.length).toBeLessThan(150);
  });
});

/** A body of pieces, and the number of bytes that were read of it. The body never ends after its last piece. */
function countedBody(pieces: Iterable<Uint8Array>) {
  const counted = { bytes: 0, pulls: 0 };
  const all = pieces[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        counted.pulls += 1;
        const { done, value } = all.next();
        if (done) return new Promise<void>(() => undefined);
        counted.bytes += value.length;
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, counted };
}

describe('the body of a notification', () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const post = (app: TestApp, body: ReadableStream<Uint8Array> | Uint8Array) =>
    app.send('POST', '/events', withSecret, { body });
  const read = { ignored: 1, queued: 0, dropped: 0 };

  it('is not read before the secret is right', async () => {
    const { app } = appWith();
    const { body, counted } = countedBody([bytesOf('{"events":[]}')]);
    expect((await app.send('POST', '/events', { authorization: 'Bearer x' }, { body })).status).toBe(401);
    expect((await app.send('POST', '/events?route=none', withSecret, { body })).status).toBe(404);
    expect(counted.pulls).toBe(0);
  });

  it.each([
    ['empty events', '{"events":[', '{},'],
    ['empty lists in one event', '{"events":[{"target":[', '[],'],
    ['numbers', '{"events":[', '1,'],
    ['members of one object', '{"events":[{', '"a":0,'],
    ['lists in lists', '{"events":', '['],
  ])('of %s without end gets 413 after less than a tenth of 2 MiB', async (_, first, part) => {
    const piece = bytesOf(part.repeat(1_000));
    const { body, counted } = countedBody([bytesOf(first), ...Array(2_000).fill(piece)]);
    const answer = await post(appWith().app, body);
    expect([answer.status, answer.error().message]).toEqual([413, expect.stringContaining('20000 values')]);
    expect(counted.bytes).toBeLessThan((2 * 2 ** 20) / 10);
  });

  it.each([
    [
      'an index of a thousand images, as docker-registry lists them',
      () => {
        const event = dockerRegistryEvent('pull', pushed) as { target: object };
        const annotations = Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [`org.example.${at}`, 'x']));
        const reference = { mediaType: 'm', digest: 'd', size: 1, annotations, platform: { os: 'linux' } };
        return {
          events: [{ ...event, target: { ...event.target, references: Array(1_000).fill(reference) } }],
        };
      },
    ],
    [
      'a manifest of a megabyte in a string, as zot sends it',
      () => ({ specversion: '1.0', type: 'zotregistry.x', data: { manifest: '{"a":[1,2]}'.repeat(90_000) } }),
    ],
  ])('of %s is read', async (_, document) => {
    expect(await receiptOf(appWith().app, notificationOf(document()))).toEqual(read);
  });

  it('becomes values alone, in a turn of the event loop of its own', async () => {
    const { promise: allCame, resolve } = Promise.withResolvers<void>();
    let [turns, came] = [0, 0];
    const turn = createWorkTurns((begin) =>
      setTimeout(() => {
        turns += 1;
        begin();
      }),
    );
    const app = testApp({ REGSHIFT_EVENTS_SECRET: secret }, scriptedUpstream().fetch, { turn });
    const text = bytesOf(JSON.stringify({ events: ['x'.repeat(200_000)] }));
    const answers = Array.from({ length: 16 }, () => {
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          came += 1;
          if (came === 16) resolve();
          await allCame;
          controller.enqueue(text);
          controller.close();
        },
      });
      return post(app, body);
    });
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(202);
    expect(turns).toBeGreaterThanOrEqual(15);
  });

  it('that stands still gets 408 and gives its place to others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    const { app } = appWith({ REGSHIFT_WARM: 'none' });
    const still = Array.from({ length: 16 }, () => post(app, countedBody([bytesOf('{"events":[')]).body));
    await vi.advanceTimersByTimeAsync(9_000);
    expect((await notify(app, dockerRegistryPush(pushed))).status).toBe(503);
    await vi.advanceTimersByTimeAsync(1_001);
    for (const answer of await Promise.all(still)) {
      expect(answer.status).toBe(408);
      expect(answer.error().message).toContain('10 seconds');
    }
    expect((await notify(app, dockerRegistryPush(pushed))).status).toBe(202);
  });
});

describe('routes', () => {
  const inner = 'http://inner.test:5000';
  const outer = 'https://outer.test';
  const config = (routes: object[]) => ({
    REGSHIFT_CONFIG: JSON.stringify({ upstreamAuth: 'anonymous', eventsSecret: secret, routes }),
    REGSHIFT_UPSTREAM: '',
  });
  const two = () =>
    network({
      [inner]: holding({ 'team/app': 'sample/oci' }),
      [outer]: holding({ 'team/app': 'sample/oci' }),
    });
  const both = [
    { match: { path: 'in/' }, upstream: inner, warm: 'docker-1.9' },
    { match: { path: 'out/' }, upstream: outer, warm: 'docker-1.13' },
  ];
  const push = (host: string) =>
    dockerRegistryPush({ repository: 'team/app', tag: 'latest', host, digest: '' });

  async function askedBy(routes: object[], sent: SentNotification, path?: string): Promise<string[]> {
    const registries = two();
    const app = testApp(config(routes), registries.fetch);
    await receiptOf(app, sent, path);
    await app.settled();
    return [...new Set(registries.asked.map(({ origin }) => origin))];
  }

  it('of several upstreams, the one that the event names is asked', async () => {
    expect(await askedBy(both, push('inner.test:5000'))).toEqual([inner]);
    expect(await askedBy(both, push('outer.test'))).toEqual([outer]);
    const host = 'inner.test:5000';
    const more = { updated_tags: ['latest'] };
    expect(await askedBy(both, quayWebhook({ repository: 'team/app', host }, more))).toEqual([inner]);
  });

  it.each([
    ['ECR', ecrEvent('PUSH', { repository: 'team/app', tag: 'latest' }), 'dkr.ecr.us-west-2.amazonaws.com'],
    [
      'ECR in China',
      ecrEvent('PUSH', { repository: 'team/app', tag: 'latest' }, { region: 'cn-north-1' }),
      'dkr.ecr.cn-north-1.amazonaws.com.cn',
    ],
    [
      'ECR by its dual-stack endpoint',
      ecrEvent('PUSH', { repository: 'team/app', tag: 'latest' }),
      'dkr-ecr.us-west-2.on.aws',
    ],
  ])('of several upstreams, the account of %s is asked', async (_, sent, host) => {
    const account = (id: string) => `https://${id}.${host}`;
    const registries = network({
      [account('123456789012')]: holding({ 'team/app': 'sample/oci' }),
      [account('210987654321')]: holding({ 'team/app': 'sample/oci' }),
    });
    const routes = ['123456789012', '210987654321'].map((id) => ({
      match: { path: `${id}/` },
      upstream: account(id),
    }));
    const app = testApp(config(routes), registries.fetch);
    await receiptOf(app, sent);
    await app.settled();
    expect([...new Set(registries.asked.map(({ origin }) => origin))]).toEqual([account('123456789012')]);
  });

  it.each([
    [
      'Artifactory',
      artifactoryWebhook('pushed', { repository: 'team/app', tag: 'latest', host: 'outer.test' }),
    ],
    ['Gitea', giteaWebhook('created', { repository: 'team/app', tag: 'latest', host: 'outer.test' })],
  ])('of several upstreams, the one that %s names is asked', async (_, sent) => {
    expect(await askedBy(both, sent)).toEqual([outer]);
  });

  it('an event that names none of them causes no request, and the log says what to add', async () => {
    const registries = two();
    const app = testApp(config(both), registries.fetch);
    expect(await receiptOf(app, push('other.test'))).toEqual({ queued: 0, dropped: 0, ignored: 1 });
    await app.settled();
    expect(registries.asked).toEqual([]);
    expect(app.logged.filter(({ message }) => message.includes('?route=<id>'))).toHaveLength(1);
  });

  it('?route= selects, and an unknown one gets 404 with the known ones', async () => {
    expect(await askedBy(both, push('other.test'), '/events?route=path=out/')).toEqual([outer]);
    const all = await askedBy(both, push('other.test'), '/events?route=path=out/&route=path%3Din/');
    expect(all.toSorted()).toEqual([inner, outer]);
    const answer = await notify(testApp(config(both), two().fetch), push('other.test'), '/events?route=none');
    expect(answer.status).toBe(404);
    expect(answer.error().message).toBe('There is no route "none". The routes are: path=in/, path=out/.');
  });

  it('the host of the request selects the routes that name it', async () => {
    const hosts = [
      { match: { host: 'in.proxy.test' }, upstream: inner },
      { match: { host: 'out.proxy.test' }, upstream: outer },
    ];
    expect(await askedBy(hosts, push('other.test'), 'http://out.proxy.test/events')).toEqual([outer]);
  });

  it('two routes to one upstream are both served, each for its clients', async () => {
    const registries = two();
    const { metrics, warmed } = counting();
    const twins = [both[0] as object, { match: { path: 'twin/' }, upstream: inner, warm: 'docker-1.13' }];
    const app = testApp(config(twins), registries.fetch, { metrics });
    expect(await receiptOf(app, push('anything.test'))).toEqual({ queued: 2, dropped: 0, ignored: 0 });
    await app.settled();
    expect(warmed).toEqual(['made', 'made']);
    const lines = app.logged.filter(({ message }) => message.startsWith('an image was made ahead'));
    expect(lines.map(({ facts }) => `${facts?.route} ${facts?.client}`).toSorted()).toEqual([
      'path=in/ docker-1.9',
      'path=twin/ docker-1.13',
    ]);
  });
});

describe('?repository=', () => {
  const asked = async (sent: SentNotification, address: string) => {
    const { app, upstream } = appWith({ REGSHIFT_WARM: 'docker-20.10' });
    const { queued, ignored } = await receiptOf(app, sent, address);
    await app.settled();
    const paths = upstream.asked.map((each) => /\/v2\/(.*)\/manifests/.exec(each)?.[1]);
    return { queued, ignored, repositories: [...new Set(paths.filter((path) => path !== undefined))] };
  };
  const local = artifactoryWebhook('pushed', { ...pushed, repository: 'docker-local/team/packed' });

  it.each([
    ['the key of the repository, without it', '/events', 'docker-local/team/packed'],
    ['no key, for a host or port of the repository', '/events?repository=*', 'team/packed'],
    ['the key of a virtual repository', '/events?repository=docker/*', 'docker/team/packed'],
    ['an escaped star', '/events?repository=docker%2F%2A', 'docker/team/packed'],
  ])('of an event of Artifactory has %s', async (_, address, repository) => {
    const found = await asked(local, address);
    expect(found).toMatchObject({ queued: 1, ignored: 0 });
    expect(found.repositories).toEqual([repository]);
  });

  it('has the whole name of other registries', async () => {
    const found = await asked(dockerRegistryPush(pushed), '/events?repository=cache/*');
    expect(found.repositories).toEqual(['cache/team/packed']);
  });

  it('leaves out an event whose name would be none', async () => {
    const long = dockerRegistryPush({ ...pushed, repository: 'a'.repeat(250) });
    expect(await asked(long, '/events?repository=cache/*')).toMatchObject({ queued: 0, ignored: 1 });
  });

  it.each(['', 'docker', 'docker/', '**', '*/*', 'Docker/*', 'docker//*', '../*'])(
    '%j gets 400, which says what is right',
    async (pattern) => {
      const { app } = appWith();
      const answer = await notify(app, local, `/events?repository=${encodeURIComponent(pattern)}`);
      expect([answer.status, answer.error().message]).toEqual([
        400,
        `?repository=${JSON.stringify(pattern)} must be the name of a repository with a star for the name in the ` +
          'notification, like docker/* or *.',
      ]);
    },
  );
});
