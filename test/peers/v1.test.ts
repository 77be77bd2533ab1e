import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { alice, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { rawRequest } from '../support/raw-http.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';
import { goHeaders, type V1DaemonName, v1DaemonNames, v1Daemons } from '../support/v1-daemons.ts';
import { filesOfV1 } from '../support/v1-files.ts';
import { allTags, pullV1 } from '../support/v1-pull.ts';
import { v1OverSocket } from '../support/v1-raw.ts';
import { v1Session } from '../support/v1-session.ts';

const repositories = ['real/oci', 'real/schema2', 'real/zstd', 'real/generic', 'real/index', 'real/list'];
const cases = v1DaemonNames.flatMap((daemon) => repositories.map((repository) => ({ daemon, repository })));

/** The directory for files of the tests. */
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'regshift-v1-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci', 'tar'))(
  'docker-registry, by API v1',
  () => {
    let registry: RealRegistry;
    let proxies: RunningProxy[] = [];
    let balancer: Balancer;
    beforeAll(async () => {
      registry = await startRealRegistry();
      proxies = [await startProxy(registry.url), await startProxy(registry.url)];
      balancer = await startBalancer(proxies.map(({ port }) => port));
    });
    afterAll(async () => {
      await balancer?.stop();
      for (const proxy of proxies) await proxy.stop();
      await registry?.stop();
    });

    const port = () => proxies[0]?.port ?? 0;
    const options = (daemon: V1DaemonName, to = port()) => ({
      daemon: v1Daemons[daemon],
      http: v1OverSocket(to),
    });

    it.each(cases)('$daemon pulls $repository', async ({ daemon, repository }) => {
      const pulled = await pullV1(options(daemon), repository);
      expect(await filesOfV1(pulled, home)).toEqual(registry.files);
    });

    it.each(repositories)('%s has the ids and the JSON of its schema 1', async (repository) => {
      const path = `/v2/${repository}/manifests/latest`;
      const headers = manifestRequestHeaders['Docker 1.9.1'];
      const { body } = await rawRequest({ port: port(), method: 'GET', path, headers });
      const { document, entries } = readSignedSchema1(body);
      const { ids, json } = await pullV1(options('Docker 1.7.1'), repository);
      expect(ids).toEqual(entries.map(({ id }) => id));
      expect(ids.map((id) => json.get(id))).toEqual(document.history.map((each) => each.v1Compatibility));
    });

    it.each(cases)(
      '$daemon reports a layer of $repository that broke off',
      async ({ daemon, repository }) => {
        const pulling = pullV1({ ...options(daemon), breakAfter: 700_000 }, repository);
        await expect(pulling).rejects.toThrow('unexpected EOF');
      },
    );

    it.each(cases)('$daemon pulls $repository from two replicas in turn', async ({ daemon, repository }) => {
      const pulled = await pullV1(options(daemon, balancer.port), repository);
      expect(await filesOfV1(pulled, home)).toEqual(registry.files);
    });

    it.each(v1DaemonNames)('%s pulls each tag of a repository', async (daemon) => {
      for (const [tag, files] of Object.entries(registry.tagged)) {
        expect(await filesOfV1(await pullV1(options(daemon), 'real/tags', tag), home)).toEqual(files);
      }
    });

    it('all tags of a repository are told', async () => {
      const session = v1Session(options('Docker 1.7.1'));
      expect((await session.index('repositories/real/tags/images')).status).toBe(200);
      expect(Object.keys(await allTags(session, 'real/tags')).toSorted()).toEqual(['first', 'second']);
    });

    it('docker search finds its repositories', async () => {
      const answer = await v1Session(options('Docker 1.9.1')).index('search?q=real%2F');
      const { results } = JSON.parse(new TextDecoder().decode(answer.body)) as {
        results: { name: string }[];
      };
      expect(results.map(({ name }) => name)).toEqual([...repositories, 'real/tags'].toSorted());
    });

    it.each(v1DaemonNames)('%s is told what is not there', async (daemon) => {
      await expect(pullV1(options(daemon), 'real/nothing')).rejects.toThrow('image real/nothing not found');
      await expect(pullV1(options(daemon), 'real/oci', 'nothing')).rejects.toThrow('Tag nothing not found');
    });
  },
);

const sample = 'sample/schema1';

describe.skipIf(requirePeers('docker-registry', 'tar'))('docker-registry with htpasswd, by API v1', () => {
  let registry: DockerRegistry;
  let proxy: RunningProxy;
  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: alice.htpasswd, samples: [sample] });
    proxy = await startProxy(registry.url);
  });
  afterAll(async () => {
    await proxy?.stop();
    await registry?.stop();
  });

  const pull = (daemon: V1DaemonName, login?: string, https?: boolean) =>
    pullV1({ daemon: v1Daemons[daemon], http: v1OverSocket(proxy.port), login, https }, sample);

  it.each(v1DaemonNames)(
    '%s pulls what is stored as schema 1, with a login of the registry',
    async (daemon) => {
      expect((await pull(daemon, 'alice:secret')).ids).toHaveLength(3);
      expect((await pull(daemon, 'alice:secret', true)).ids).toHaveLength(3);
    },
  );

  it.each(v1DaemonNames)('%s is refused without one, and with a wrong one', async (daemon) => {
    await expect(pull(daemon)).rejects.toThrow('Authentication is required.');
    await expect(pull(daemon, 'alice:guess')).rejects.toThrow('Authentication is required.');
    await expect(pull(daemon, undefined, true)).rejects.toThrow('Authentication is required.');
  });

  it.each([
    ['alice:secret', 200],
    ['alice:guess', 401],
    ['bob:secret', 401],
    [':', 401],
  ])('docker login as %s: %i', async (login, status) => {
    const headers = [['Authorization', `Basic ${btoa(login)}`], ...goHeaders] as const;
    const answer = await rawRequest({ port: proxy.port, method: 'GET', path: '/v1/users/', headers });
    expect(answer.status).toBe(status);
  });
});
