import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { knownClientById, knownClients } from '../../../../src/negotiation/known-clients.ts';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { type RunningProxy, startProxy } from '../../../support/proxy.ts';
import { type SampleServer, startSampleServer } from '../../../support/sample-server.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';

interface Result {
  readonly image: string;
  readonly client: string;
  readonly given?: { readonly form: string; readonly digest?: string };
  readonly failed?: string;
}

const proxyAt = ({ port }: RunningProxy) => `http://127.0.0.1:${port}`;

describe('regshift warm', () => {
  let registry: SampleServer;
  let proxy: RunningProxy;
  beforeAll(async () => {
    registry = await startSampleServer();
    proxy = await startProxy(registry.url);
  });
  afterAll(async () => {
    await proxy.stop();
    await registry.stop();
  });

  const warm = (...argv: string[]) => regshift(['warm', ...argv, '--proxy', proxyAt(proxy)]);

  it('pulls as each generation of clients', async () => {
    const { code, json, err } = await warm('sample/index-zstd', '--all-clients', '--json');
    expect(code).toBe(0);
    const results = json<Result[]>();
    expect(results.map(({ client }) => client)).toEqual(knownClients.map(({ name }) => name));
    expect(results.map(({ given }) => given?.form)).toEqual([
      'registry API v1, 2 images',
      'schema1',
      'list',
      'oci-index',
      'list',
      ...Array(knownClients.length - 5).fill('oci-index'),
    ]);
    expect(
      err.split('\n').filter((line) => /^\d+\/16 sample\/index-zstd:latest for /.test(line)),
    ).toHaveLength(16);
  });

  it.each([
    ['docker-1.13', mediaTypes.dockerList, mediaTypes.schema2],
    // The index passes unchanged; only the next request of the client converts the image.
    ['docker-24', mediaTypes.ociIndex, mediaTypes.ociManifest],
  ])('makes the proxy remember all manifests of a pull by %s', async (client, index, image) => {
    const upstream = await startSampleServer();
    const own = await startProxy(upstream.url);
    const get = (reference = '', accept = '') =>
      fetch(`${proxyAt(own)}/v2/sample/index-zstd/manifests/${reference}`, { headers: { accept } });
    try {
      const argv = ['warm', 'sample/index-zstd:1.0', '--for', client, '--proxy', proxyAt(own), '--json'];
      const [result] = (await regshift(argv)).json<Result[]>();
      await upstream.stop();
      const list = await get(result?.given?.digest, index);
      expect(list.status).toBe(200);
      const { manifests } = (await list.json()) as { manifests: { digest: string }[] };
      expect((await get(manifests[0]?.digest, image)).status).toBe(200);
    } finally {
      await own.stop();
    }
  });

  it.each([[['docker-1.9,docker-1.13']], [['docker-1.9', 'docker-1.13']]])(
    'pulls as all of %j',
    async (clients) => {
      const { code, json } = await warm('sample/oci', '--json', '--for', ...clients);
      expect(code).toBe(0);
      expect(json<Result[]>().map(({ given }) => given?.form)).toEqual(['schema1', 'schema2']);
    },
  );

  it('pulls all tags', async () => {
    const { code, json } = await warm(
      'sample/oci',
      '--all-tags',
      '--for',
      'docker-1.13',
      'docker-1.12',
      '--json',
    );
    expect(code).toBe(0);
    // Both are of one generation.
    expect(json<Result[]>().map(({ image }) => image)).toEqual(['sample/oci:1.0', 'sample/oci:latest']);
  });

  it('pulls all tags of the other repositories where one has no list', async () => {
    const argv = ['sample/gone', 'sample/oci', '--all-tags', '--for', 'docker-1.9', 'docker-1.13', '--json'];
    const { code, json } = await warm(...argv);
    expect(code).toBe(1);
    const results = json<(Result & { readonly failed?: string })[]>();
    const failed = results.filter((each) => each.failed !== undefined);
    expect(failed).toMatchObject([
      { image: 'sample/gone', client: 'Docker 1.6–1.9', failed: expect.stringContaining('404') },
      { image: 'sample/gone', client: 'Docker 1.10–18.03', failed: expect.stringContaining('404') },
    ]);
    expect(results.length - failed.length).toBe(4);
  });

  it('fails if a client gets nothing, and continues with the others', async () => {
    const { code, out, err } = await warm(
      'sample/helm-chart',
      'sample/none',
      '--for',
      'docker-1.9',
      'docker-24',
    );
    expect(code).toBe(1);
    expect(out).toMatch(/^sample\/helm-chart:latest +Docker 1\.6–1\.9 +nothing$/m);
    expect(out).toMatch(/^sample\/helm-chart:latest +Docker 23–25 +oci +sha256:\w{64}$/m);
    expect(out).toMatch(/^sample\/helm-chart:latest for Docker 1\.6–1\.9: .*not a container image/m);
    // An error that several pulls have is printed once.
    expect(out).toMatch(/^sample\/none:latest for Docker 1\.6–1\.9, Docker 23–25: .*404/m);
    expect(out.match(/NAME_UNKNOWN/g)).toHaveLength(1);
    expect(err).not.toContain('404');
  });

  it('asks for the address of the proxy where a server without registry API v1 answers', async () => {
    const argv = ['warm', 'sample/oci', '--for', 'docker-1.5', '--proxy', registry.url];
    const { code, out } = await regshift(argv);
    expect(code).toBe(1);
    expect(out).toMatch(
      /: The proxy answered 404 for \/v1\/\S+, without a message of registry API v1\. Check the address in --proxy\.$/m,
    );
  });

  it('draws a bar on a terminal, and clears it', async () => {
    const argv = ['warm', 'sample/oci', '--for', 'docker-1.13', '--proxy', proxyAt(proxy)];
    const { err } = await regshift(argv, { terminal: true });
    expect(err).toMatch(/^\r\[#{20}\] 1\/1 sample\/oci:latest for Docker 1\.10–18\.03: schema2 +\r +\r$/);
    expect(err).not.toContain('\n');
  });

  it('skips registry API v1 for a digest, because API v1 has none', async () => {
    const [{ given } = { given: undefined }] = (
      await warm('sample/oci', '--for', 'docker-28', '--json')
    ).json<Result[]>();
    const { json } = await warm(`sample/oci@${given?.digest}`, '--for', 'docker-1.5', 'docker-28', '--json');
    expect(json<Result[]>().map(({ client }) => client)).toEqual(['Docker ≥ 26']);
  });
});

describe('regshift warm behind a login', () => {
  it('uses the login of docker login', async () => {
    const strict = await startStrictRegistry('alice:wonderland', createSampleRegistry().fetch);
    const proxy = await startProxy(`http://${strict.host}`);
    const folder = temporaryFolder();
    const auths = { [`127.0.0.1:${proxy.port}`]: { auth: btoa('alice:wonderland') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
    try {
      const argv = [
        'warm',
        'sample/oci',
        '--for',
        'docker-1.5',
        'docker-1.13',
        '--proxy',
        proxyAt(proxy),
        '--json',
      ];
      const { code, json } = await regshift(argv, { env: { DOCKER_CONFIG: folder } });
      expect(json<Result[]>().map(({ given }) => given?.form)).toEqual([
        'registry API v1, 2 images',
        'schema2',
      ]);
      expect(code).toBe(0);
      expect((await regshift(argv)).code).toBe(1);
    } finally {
      await proxy.stop();
      await strict.stop();
    }
  });
});

describe('knownClientById', () => {
  test.each([
    ['docker-1.3.3', 'docker-1.5'],
    ['docker-1.6', 'docker-1.9'],
    ['docker-1.10.3', 'docker-1.13'],
    ['docker-18.03.1', 'docker-1.13'],
    ['docker-18.06', 'docker-18.09'],
    ['docker-18.09.8', 'docker-18.09'],
    ['docker-19.03.4', 'docker-19.03.3'],
    ['docker-19.03.15', 'docker-20.10'],
    ['docker-23', 'docker-24'],
    ['docker-29.1', 'docker-28'],
    ['containerd-1.7.2', 'containerd-1.6'],
    ['containerd-2.0', 'containerd-2'],
    ['podman', 'skopeo'],
    ['podman-4.3', 'skopeo'],
    ['buildah', 'skopeo'],
    ['crio-1.34', 'skopeo'],
    ['buildkit-0.13', 'buildkit-0.12'],
    ['crane', 'crane'],
    ['docker', 'docker-28'],
    ['buildkit', 'buildkit-0.12'],
    ['cri-o', 'skopeo'],
    ['cri-o-1.35', 'skopeo'],
    ['containerd-1.4', undefined],
    ['kubelet-1.2', undefined],
    ['docker-dev', undefined],
    ['', undefined],
  ])('%s belongs to the generation %s', (name, id) => {
    expect(knownClientById(name)?.id).toBe(id);
  });

  it.each(knownClients)('$id names its own generation', (generation) => {
    expect(knownClientById(generation.id)).toBe(generation);
  });
});
