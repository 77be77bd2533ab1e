import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { addIndex, type BuiltRepository, json } from '../support/built-repository.ts';
import { type ChoosyRegistryOptions, choosyRegistry, generations } from '../support/choosy-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import {
  builtTree,
  login,
  type PushTree,
  pushBlob,
  pushTree,
  putManifest,
  treeOfSample,
  treeOfShape,
} from '../support/push-tree.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const { schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
const name = 'team/app';

function start(options: ChoosyRegistryOptions, variables: Record<string, string> = {}) {
  const registry = choosyRegistry(options);
  const upstream = scriptedUpstream(registry.script);
  return { registry, upstream, app: testApp(variables, upstream.fetch) };
}

const docker = { takes: generations.docker };
const last = ({ manifests }: PushTree) => manifests.at(-1) as PushTree['manifests'][number];
const puts = (asked: readonly string[]) =>
  asked.filter((each) => each.startsWith('PUT') && each.includes('/manifests/'));

/** Refuses the first manifest, whatever it is: the one that the client sends. */
function refuseManifests(refuse: () => Response): Script {
  let isFirst = true;
  return (request, url) => {
    if (request.method !== 'PUT' || !url.pathname.includes('/manifests/') || !isFirst) return undefined;
    isFirst = false;
    return refuse();
  };
}

/** The list of an image's referrers, where a registry has none (OCI distribution-spec 1.1). */
function indexOfArtifacts(built: BuiltRepository): void {
  const config = built.blob('application/vnd.oci.empty.v1+json', json({}));
  const artifactType = 'application/vnd.example.sbom';
  const document = { schemaVersion: 2, mediaType: ociManifest, artifactType, config, layers: [config] };
  addIndex(built, [{ ...built.manifest(ociManifest, document), artifactType }]);
}

/** The cache of BuildKit (buildkit, cache/remotecache/v1). */
function indexOfCache(built: BuiltRepository): void {
  const layer = built.blob(mediaTypes.ociLayerGzip, json('a layer'));
  addIndex(built, [layer, built.blob('application/vnd.buildkit.cacheconfig.v0', json({ layers: [] }))]);
}

describe('a refusal of a manifest', () => {
  const json = (status: number, body: string) => () =>
    new Response(body, { status, headers: { 'Content-Type': 'application/json' } });

  it.each([
    ['400 MANIFEST_INVALID', () => specError(400, 'MANIFEST_INVALID')],
    ['415', () => specError(415, 'UNSUPPORTED')],
    ['415 without a body', () => new Response(null, { status: 415 })],
    ['400 without a code', () => new Response('bad request', { status: 400 })],
    ['405 without a code', json(405, '{}')],
  ])('is about the form: %s', async (_, refuse) => {
    const { registry, app } = start({ ...docker, refuse });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/oci'));
    expect(answer?.status).toBe(201);
    expect(registry.tags.size).toBe(1);
  });

  it.each([
    ['404 MANIFEST_BLOB_UNKNOWN', () => specError(404, 'MANIFEST_BLOB_UNKNOWN')],
    ['400 BLOB_UNKNOWN', () => specError(400, 'BLOB_UNKNOWN')],
    ['400 TAG_INVALID', () => specError(400, 'TAG_INVALID')],
    ['400 NAME_INVALID', () => specError(400, 'NAME_INVALID')],
    ['403 DENIED', () => specError(403, 'DENIED')],
    ['405 UNSUPPORTED', () => specError(405, 'UNSUPPORTED')],
    ['413 without a code', () => new Response('quota', { status: 413 })],
    [
      '405 of a registry that takes no writes',
      () => new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } }),
    ],
    ['429 TOOMANYREQUESTS', () => specError(429, 'TOOMANYREQUESTS')],
    ['500 UNKNOWN', () => specError(500, 'UNKNOWN')],
    ['500 without a code', () => new Response('oh', { status: 500 })],
    ['507 of a quota', () => specError(507, 'DENIED')],
  ])('is for the client: %s', async (_, refuse) => {
    const { registry, upstream, app } = start({ ...docker, refuse });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/oci'));
    const expected = refuse();
    expect([answer?.status, answer?.text()]).toEqual([expected.status, await expected.text()]);
    expect(puts(upstream.asked)).toEqual([`PUT /v2/${name}/manifests/latest`]);
    expect(registry.manifests.size).toBe(0);
  });

  it.each([400, 405, 415])(
    'is of a gateway where the registry takes the manifest at once after it: %i',
    async (status) => {
      let isFirst = true;
      const before: Script = ({ method }, { pathname }) => {
        if (method !== 'PUT' || !pathname.includes('/manifests/') || !isFirst) return undefined;
        isFirst = false;
        return new Response('<html>', { status });
      };
      const { registry, app } = start({ takes: generations.today, before });
      const tree = await treeOfSample('sample/oci');
      const [answer] = await pushTree(app, name, tree);
      expect([answer?.status, answer?.header('Regshift-Conversion')]).toEqual([201, null]);
      expect([...registry.manifests.keys()]).toEqual([`${name}@${tree.manifests[0]?.digest}`]);
    },
  );

  it('is for the client: a page with 400, each time', async () => {
    const page = () => new Response('<html>', { status: 400, headers: { 'Content-Type': 'text/html' } });
    const { registry, app } = start({ ...docker, refuse: page });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/oci'));
    expect([answer?.status, answer?.text(), registry.manifests.size]).toEqual([400, '<html>', 0]);
  });

  it('is about the form: 500 UNKNOWN to schema 1, as of docker-registry 2.8', async () => {
    const { registry, app } = start({ takes: generations.today, refuse: () => specError(500, 'UNKNOWN') });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/schema1'));
    expect(answer?.status).toBe(201);
    expect(registry.tags.size).toBe(1);
  });

  it('is about the form: 405 UNSUPPORTED to schema 1, as of Gitea', async () => {
    const { registry, app } = start({
      takes: generations.today,
      refuse: () => specError(405, 'UNSUPPORTED'),
    });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/schema1'));
    expect([answer?.status, registry.tags.size]).toEqual([201, 1]);
  });

  it.each([
    [405, [400, 'MANIFEST_INVALID']],
    [409, [400, 'MANIFEST_INVALID']],
    [413, [413, 'MANIFEST_INVALID']],
  ] as const)(
    'is for the client where the registry answers %i to an upload of regshift',
    async (status, expected) => {
      let isLocked = false;
      const before: Script = ({ method }, { pathname }) => {
        if (method === 'PUT' && pathname.includes('/manifests/')) isLocked = true;
        return isLocked && pathname.includes('/uploads/') ? specError(status, 'UNSUPPORTED') : undefined;
      };
      const { registry, app } = start({ ...docker, before });
      const [answer] = await pushTree(app, name, await treeOfSample('sample/oci-zstd'));
      expect([answer?.status, answer?.error().code]).toEqual(expected);
      expect(registry.tags.size).toBe(0);
    },
  );

  it('is for the client where the registry takes no other form either', async () => {
    const { registry, app } = start({ takes: [] });
    for (const sample of ['sample/oci', 'sample/schema2', 'sample/schema1']) {
      const [answer] = await pushTree(app, name, await treeOfSample(sample));
      expect([answer?.status, answer?.error().code]).toEqual([400, 'MANIFEST_INVALID']);
      expect(answer?.error().message).toBe('manifest invalid');
    }
    expect(registry.manifests.size).toBe(0);
  });

  describe.each([
    ['auto', docker],
    ['schema2', docker],
    ['oci', { takes: generations.oci }],
  ] as const)('is for the client where the manifest is not what it says it is (%s)', (format, options) => {
    const variables = { REGSHIFT_PUSH_FORMAT: format };

    it.each([
      ['an OCI manifest as schema 2', 'sample/oci', schema2],
      ['an OCI manifest as an index', 'sample/oci', ociIndex],
      ['an OCI index as a manifest', 'sample/index', ociManifest],
      ['schema 2 as OCI', 'sample/schema2', ociManifest],
      ['schema 1 as schema 2', 'sample/schema1', schema2],
      ['an unknown type', 'sample/oci', 'text/plain'],
    ])('%s', async (_, sample, mediaType) => {
      const refuse = () => specError(400, 'MANIFEST_INVALID', {}, 'media type in manifest should be another');
      const { registry, upstream, app } = start(
        { ...options, refuse, before: refuseManifests(refuse) },
        variables,
      );
      const tree = await treeOfSample(sample);
      for (const blob of tree.blobs) await pushBlob(app, name, blob);
      const answer = await putManifest(app, name, 'latest', { ...last(tree), mediaType });
      expect([answer.status, answer.text()]).toEqual([400, await refuse().text()]);
      expect(puts(upstream.asked)).toEqual([`PUT /v2/${name}/manifests/latest`]);
      expect(registry.manifests.size).toBe(0);
    });
  });

  it('is for the client where the manifest is pushed by another digest than its own', async () => {
    const { registry, app } = start(docker);
    const tree = await treeOfSample('sample/oci');
    for (const blob of tree.blobs) await pushBlob(app, name, blob);
    const answer = await putManifest(app, name, `sha256:${'0'.repeat(64)}`, last(tree));
    expect([answer.status, answer.error().message]).toEqual([400, 'manifest invalid']);
    expect(registry.manifests.size).toBe(0);
  });

  it('is for the client where the manifest is an artifact with a tag', async () => {
    const { registry, app } = start(docker);
    const [answer] = await pushTree(app, name, treeOfShape('a chart'));
    expect([answer?.status, answer?.error().message]).toEqual([400, 'manifest invalid']);
    expect(registry.manifests.size).toBe(0);
  });

  describe.each([
    ['no entries', () => builtTree((built) => addIndex(built, []))],
    ['artifacts alone', () => builtTree(indexOfArtifacts)],
    ['cached layers', () => builtTree(indexOfCache)],
  ])('of an index of %s', (_, make) => {
    it('is for the client', async () => {
      const { registry, app } = start(docker);
      const answer = (await pushTree(app, name, make())).at(-1);
      expect([answer?.status, answer?.error().message]).toEqual([400, 'manifest invalid']);
      expect(registry.tags.size).toBe(0);
    });

    it.each(['schema2', 'oci'])(
      'is none where a form is set that another index gets (%s)',
      async (format) => {
        const { registry, app } = start(
          { takes: [...generations.docker, ...generations.oci], blobsAsManifests: true },
          { REGSHIFT_PUSH_FORMAT: format },
        );
        const tree = make();
        expect((await pushTree(app, name, tree)).at(-1)?.status).toBe(201);
        expect(registry.tags.get(`${name}:latest`)).toBe(last(tree).digest);
      },
    );
  });

  it('has the reason where the form cannot hold the image', async () => {
    const { app } = start(docker);
    const tree = await treeOfSample('sample/oci');
    const bytes = new TextEncoder().encode(
      new TextDecoder().decode(last(tree).bytes).replaceAll('tar+gzip"', 'tar+gzip+encrypted"'),
    );
    for (const blob of tree.blobs) await pushBlob(app, name, blob);
    const answer = await putManifest(app, name, 'latest', { mediaType: ociManifest, bytes });
    expect([answer.status, answer.error().code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(answer.error().message).toMatch(
      /^The registry does not take an OCI manifest, and regshift cannot/,
    );
  });
});

describe('content that regshift made, and that the registry misses without saying so', () => {
  it('is uploaded after no other form has helped', async () => {
    const registry = choosyRegistry({ takes: [...generations.docker, ...generations.oci] });
    const upstream = scriptedUpstream(async (request, url) => {
      const response = await registry.script(request, url);
      const isMissing = response?.status === 404 && request.method === 'PUT';
      return isMissing ? new Response('bad manifest', { status: 400 }) : response;
    });
    const app = () => testApp({}, upstream.fetch);
    await pushTree(app(), name, await treeOfSample('sample/oci-zstd'));
    const pulled = await app().get(`/v2/${name}/manifests/latest`, [
      ...(manifestRequestHeaders['Docker 1.13.1'] ?? []),
      ['Authorization', login.Authorization],
    ]);
    expect(pulled.header('Regshift-Conversion')).toBe('oci -> schema2');
    const answer = await putManifest(app(), name, 'again', { mediaType: schema2, bytes: pulled.body });
    expect([answer.status, answer.text()]).toEqual([201, '']);
    expect(registry.tags.get(`${name}:again`)).toBe(pulled.header('Docker-Content-Digest'));
  });
});

describe('a push whose layers take longer to read than a pull waits', () => {
  it('waits for them', async () => {
    let isSlow = true;
    const { registry, app } = start(
      {
        takes: generations.oci,
        before: async (request, url) => {
          const isLayer = request.method === 'GET' && url.pathname.includes('/blobs/');
          if (isLayer && isSlow) await new Promise((resolve) => setTimeout(resolve, 1_200));
          return undefined;
        },
      },
      { REGSHIFT_MEASURE_DEADLINE: '1' },
    );
    const [answer] = await pushTree(app, name, await treeOfSample('sample/schema1'));
    isSlow = false;
    expect([answer?.status, answer?.text()]).toEqual([201, '']);
    expect(registry.tags.size).toBe(1);
  });
});

describe('a push whose layers are not read in twenty such waits', () => {
  it('fails in words for a pusher, and leaves nothing under the tag', async () => {
    const { registry, app } = start(
      {
        takes: generations.oci,
        before: (request, url) =>
          request.method === 'GET' && url.pathname.includes('/blobs/')
            ? new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 300))
            : undefined,
      },
      { REGSHIFT_MEASURE_DEADLINE: '0' },
    );
    const [answer] = await pushTree(app, name, await treeOfSample('sample/schema1'));
    expect(answer?.status).toBe(504);
    expect(answer?.error().message).toMatch(/^regshift still reads the layers of the pushed image/);
    expect(Number(answer?.header('Retry-After'))).toBeGreaterThan(0);
    expect(registry.tags.size).toBe(0);
  });
});

describe('a manifest that the registry takes in another form only, without a blob that it names', () => {
  it.each([
    ['sample/schema1', { takes: generations.oci }, {}],
    ['sample/oci-zstd', docker, {}],
    [
      'sample/oci-zstd',
      { takes: [...generations.docker, ...generations.oci] },
      { REGSHIFT_PUSH_FORMAT: 'schema2' },
    ],
  ])('is refused with the code that registries have for that: %s', async (sample, options, variables) => {
    const { registry, app } = start(options, variables);
    const tree = await treeOfSample(sample);
    const answer = await putManifest(app, name, 'latest', last(tree));
    expect([answer.status, answer.error().code]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
    expect(answer.error().message).toMatch(/^The registry does not have all layers and configs .+sha256:/);
    expect(registry.tags.size).toBe(0);
  });
});

describe('a pushed index', () => {
  it('is refused without an image that it names', async () => {
    const { registry, app } = start(docker);
    const tree = await treeOfSample('sample/index');
    const [first, ...rest] = tree.manifests;
    const answers = await pushTree(app, name, { ...tree, manifests: rest });
    expect([answers.at(-1)?.status, answers.at(-1)?.error().code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(answers.at(-1)?.error().message).toMatch(/does not have all manifests/);
    expect([...registry.tags]).toEqual([]);
    expect(first).toBeDefined();
  });

  it('is refused with an image that was deleted, though regshift remembers it', async () => {
    const { registry, app } = start(docker);
    const tree = await treeOfSample('sample/index');
    await pushTree(app, name, tree);
    const [first] = tree.manifests;
    const path = `/v2/${name}/manifests/${first?.digest}`;
    expect((await app.send('DELETE', path, login)).status).toBe(202);
    const stored = [...registry.manifests.keys()];
    const index = last(tree);
    const answer = await putManifest(app, name, 'again', index);
    expect([answer.status, answer.error().code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(answer.error().message).toMatch(/does not have all manifests/);
    expect([...registry.manifests.keys()]).toEqual(stored);
  });

  it.each([['attestations'], ['attestations with a subject']])(
    'is stored without its %s, and says so in its answer and the log',
    async (shape) => {
      const { registry, app } = start(docker);
      const tree = treeOfShape(shape);
      const answers = await pushTree(app, name, tree);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(answers[1]?.header('Regshift-Conversion')).toBe('oci -> none; lost="$"');
      expect(answers[2]?.header('Regshift-Conversion')).toBe('oci-index -> list; lost="$.manifests[1]"');
      const stored = registry.manifests.get(`${name}@${registry.tags.get(`${name}:latest`)}`);
      expect(JSON.parse(new TextDecoder().decode(stored?.bytes)).manifests).toHaveLength(1);
      const lines = app.logged.filter(({ message }) => message === 'request');
      expect(lines.at(-2)?.facts?.conversion).toBe('oci -> none; lost="the pushed manifest"');
      expect(lines.at(-1)?.facts?.conversion).toBe('oci-index -> list; lost="a build attestation"');
    },
  );

  it.each([['attestations'], ['attestations with a subject']])(
    'is refused with its %s where nothing may be lost',
    async (shape) => {
      const { registry, app } = start(docker, { REGSHIFT_PUSH_LOSSES: 'refuse' });
      const answers = await pushTree(app, name, treeOfShape(shape));
      expect(answers.map(({ status }) => status)).toEqual([201, 400, 400]);
      for (const answer of answers.slice(1)) expect(answer.error().message).toMatch(/REGSHIFT_PUSH_LOSSES/);
      expect([...registry.tags]).toEqual([]);
    },
  );

  it('may lose the signature of schema 1 in any case: it is made anew', async () => {
    const { app } = start({ takes: generations.oci }, { REGSHIFT_PUSH_LOSSES: 'refuse' });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/schema1'));
    expect(answer?.status).toBe(201);
  });
});

describe('an attestation whose subject is not there yet', () => {
  const gitlab = { takes: generations.today, subjectFirst: true };
  /** BuildKit pushes the last manifest of an index first. */
  const asBuildkit = (tree: PushTree): PushTree => {
    const [image, attestation, index] = tree.manifests as [
      PushTree['manifests'][number],
      PushTree['manifests'][number],
      PushTree['manifests'][number],
    ];
    return { ...tree, manifests: [attestation, image, index] };
  };

  it('is stored after its subject, before the index', async () => {
    const { registry, upstream, app } = start(gitlab);
    const tree = asBuildkit(treeOfShape('attestations with a subject'));
    const answers = await pushTree(app, name, tree);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect([...registry.manifests.keys()].toSorted()).toEqual(
      tree.manifests.map(({ digest }) => `${name}@${digest}`).toSorted(),
    );
    expect(registry.tags.get(`${name}:latest`)).toBe(last(tree).digest);
    const [attestation, image] = tree.manifests;
    expect(puts(upstream.asked)).toEqual([
      `PUT /v2/${name}/manifests/${attestation?.digest}`,
      `PUT /v2/${name}/manifests/${image?.digest}`,
      `PUT /v2/${name}/manifests/latest`,
      `PUT /v2/${name}/manifests/${attestation?.digest}`,
      `PUT /v2/${name}/manifests/latest`,
    ]);
  });

  it('is refused where its own content is not there', async () => {
    const { registry, app } = start(gitlab);
    const [attestation] = asBuildkit(treeOfShape('attestations with a subject')).manifests;
    if (!attestation) throw new Error('no attestation');
    const answer = await putManifest(app, name, attestation.digest, attestation);
    expect(answer.status).toBe(404);
    expect(answer.text()).toContain('blob unknown to registry');
    expect(registry.blobs.size).toBe(0);
  });
});

describe('REGSHIFT_PUSH_FORMAT', () => {
  it('asis leaves a refusal as it is', async () => {
    const { upstream, app } = start(docker, { REGSHIFT_PUSH_FORMAT: 'asis' });
    const [answer] = await pushTree(app, name, await treeOfSample('sample/oci'));
    expect([answer?.status, answer?.error().message]).toEqual([400, 'manifest invalid']);
    expect(puts(upstream.asked)).toEqual([`PUT /v2/${name}/manifests/latest`]);
  });

  it.each([
    ['schema2', 'sample/oci', schema2, 'oci -> schema2'],
    ['schema2', 'sample/index', dockerList, 'oci-index -> list'],
    ['oci', 'sample/schema2', ociManifest, 'schema2 -> oci'],
    ['oci', 'sample/list', ociIndex, 'list -> oci-index'],
    ['oci', 'sample/schema1', ociManifest, 'schema1 -> oci'],
    ['schema2', 'sample/schema1', schema2, 'schema1 -> schema2'],
  ])('%s converts at once, where the registry takes all: %s', async (form, sample, type, conversion) => {
    const { registry, upstream, app } = start(
      { takes: [...generations.docker, ...generations.oci] },
      { REGSHIFT_PUSH_FORMAT: form },
    );
    const tree = await treeOfSample(sample);
    const answers = await pushTree(app, name, tree);
    expect(answers.at(-1)?.status).toBe(201);
    expect(answers.at(-1)?.header('Regshift-Conversion')).toMatch(new RegExp(`^${conversion}`));
    const stored = registry.tags.get(`${name}:latest`) ?? '';
    expect(registry.manifests.get(`${name}@${stored}`)?.mediaType).toBe(type);
    expect(answers.at(-1)?.header('Regshift-Stored-Digest')).toBe(stored);
    expect(puts(upstream.asked).at(-1)).toBe(`PUT /v2/${name}/manifests/latest`);
    const headers = { ...login, Accept: [...generations.docker, ...generations.oci].join(', ') };
    const pulled = await app.get(`/v2/${name}/manifests/${last(tree).digest}`, headers);
    expect([pulled.status, pulled.header('Docker-Content-Digest')]).toEqual([200, last(tree).digest]);
  });

  it.each([
    ['schema2', 'sample/schema2'],
    ['oci', 'sample/oci'],
    ['auto', 'sample/oci'],
    ['auto', 'sample/index'],
  ])('%s adds no request to a push of %s that needs no conversion', async (form, sample) => {
    const tree = await treeOfSample(sample);
    const asked = async (variables: Record<string, string>) => {
      const parts = start({ takes: [...generations.docker, ...generations.oci] }, variables);
      await pushTree(parts.app, name, tree);
      return parts.upstream.asked.map((each) => each.replace(/[0-9a-f-]{36}/, 'id'));
    };
    expect(await asked({ REGSHIFT_PUSH_FORMAT: form })).toEqual(
      await asked({ REGSHIFT_PUSH_FORMAT: 'asis' }),
    );
  });

  it('differs between routes', async () => {
    const registry = choosyRegistry(docker);
    const upstream = scriptedUpstream(registry.script);
    const routes = [
      { match: { host: 'mended.test' }, upstream: upstreamUrl },
      { match: { host: 'plain.test' }, upstream: upstreamUrl, pushFormat: 'asis' },
      { match: { host: 'strict.test' }, upstream: upstreamUrl, pushLosses: 'refuse' },
    ];
    const config = { REGSHIFT_CONFIG: JSON.stringify({ routes }), REGSHIFT_UPSTREAM: '' };
    const app = testApp(config, upstream.fetch);
    const tree = treeOfShape('attestations');
    for (const blob of tree.blobs) registry.blobs.set(`${name}@${digestOf(blob)}`, blob);
    const pushAt = async (host: string) => {
      const statuses: number[] = [];
      for (const { digest, mediaType, bytes } of tree.manifests) {
        const url = `http://${host}/v2/${name}/manifests/${digest}`;
        const headers = { ...login, 'Content-Type': mediaType, 'Content-Length': String(bytes.length) };
        statuses.push((await app.send('PUT', url, headers, { body: bytes })).status);
      }
      return statuses;
    };
    expect(await pushAt('plain.test')).toEqual([400, 400, 400]);
    expect(await pushAt('strict.test')).toEqual([201, 400, 400]);
    expect(await pushAt('mended.test')).toEqual([201, 201, 201]);
  });
});

describe('a push to a registry that the proxy has an account for', () => {
  it('is converted only where pushes are allowed', async () => {
    const account = {
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'proxy',
      REGSHIFT_UPSTREAM_PASSWORD: 'secret',
      REGSHIFT_CLIENT_AUTH: 'none',
    };
    const tree = await treeOfSample('sample/oci');
    for (const [variables, status] of [
      [account, 405],
      [{ ...account, REGSHIFT_PUSH: 'allow' }, 201],
    ] as const) {
      const { registry, upstream, app } = start(docker, variables);
      for (const blob of tree.blobs) registry.blobs.set(`${name}@${digestOf(blob)}`, blob);
      expect((await putManifest(app, name, 'latest', last(tree))).status).toBe(status);
      expect(upstream.carried).not.toContain(login.Authorization);
    }
  });
});
