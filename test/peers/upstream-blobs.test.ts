import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { layersOf } from '../support/pull.ts';
import { sha256Of } from '../support/sha256.ts';
import { simulators } from '../support/simulators/all.ts';
import { startSession } from '../support/simulators/session.ts';
import { habits } from '../support/upstreams/all.ts';
import { expectNoLeak, expectSample } from '../support/upstreams/expectations.ts';
import { basicOf, forget, type Upstream } from '../support/upstreams/habit.ts';

const sample = 'sample/schema2-empty-layers';

describe.skipIf(requirePeers('docker-registry'))('blobs', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples: [sample] });
  });
  afterAll(() => registry?.stop());

  describe.each(habits)('in front of $name', (habit) => {
    let upstream: Upstream;
    const proxies: RunningProxy[] = [];
    beforeAll(async () => {
      upstream = await habit.start(registry.url);
    });
    afterAll(async () => {
      for (const proxy of proxies) await proxy.stop();
      await upstream?.stop();
    });
    const proxyWith = async (variables: Record<string, string>) => {
      const proxy = await startProxy(upstream.url, variables);
      proxies.push(proxy);
      return proxy;
    };

    it.each(simulators)('$name pulls, told by REGSHIFT_BLOBS=redirect where they are', async (client) => {
      const proxy = await proxyWith({ REGSHIFT_BLOBS: 'redirect' });
      forget(upstream);
      const target = { port: proxy.port, repository: sample, reference: 'latest', login: habit.login };
      const pulled = await client.pull(target);
      expectSample(pulled, sample);
      expectNoLeak(upstream, habit);
      // The client fetches a blob from another host there, and from the registry's host through the proxy, whatever Location upstream wrote.
      const elsewhere = new Set(pulled.requests.flatMap((each) => each.match(/http:\/\/[^/]+/) ?? []));
      // Docker up to 1.7 does not refuse a layer of another digest, so regshift verifies it on the way.
      const storage = /^Docker 1\.[67]/.test(client.name) ? undefined : upstream.storage;
      expect([...elsewhere].filter((url) => url !== `http://127.0.0.1:${proxy.port}`)).toEqual(
        storage ? [storage.url] : [],
      );
    });

    /** Downloads a part of a layer, with the login or the token that upstream requires. */
    const layer = async () => {
      const proxy = await proxyWith(habit.login ? {} : { REGSHIFT_UPSTREAM_AUTH: 'anonymous' });
      const session = startSession({ port: proxy.port, repository: sample, reference: 'latest' });
      if (habit.login) session.authorization = basicOf(habit.login);
      const accept = ['Accept', mediaTypes.schema2] as const;
      const manifest = await session.expectOk('GET', `/v2/${sample}/manifests/latest`, [accept]);
      const path = `/v2/${sample}/blobs/${layersOf(manifest.body)[0]}`;
      return { session, path, whole: (await session.expectOk('GET', path, [])).body };
    };

    it.each([
      ['bytes=5-', 5, undefined],
      ['bytes=0-9', 0, 10],
      ['bytes=-7', -7, undefined],
    ])('the rest of one that broke off: Range %s', async (range, start, end) => {
      const { session, path, whole } = await layer();
      const part = whole.slice(start, end);
      const answer = await session.send('GET', path, [['Range', range]]);
      expect([answer.status, answer.header('Content-Length')]).toEqual([206, String(part.length)]);
      expect(answer.body).toEqual(part);
      const first = start < 0 ? whole.length + start : start;
      const stated = `bytes ${first}-${first + part.length - 1}/${whole.length}`;
      expect(answer.header('Content-Range')).toBe(stated);
      expect(upstream.storage?.asked.filter(({ authorization }) => authorization) ?? []).toEqual([]);
    });

    it('a range beyond the end: 416', async () => {
      const { session, path, whole } = await layer();
      const answer = await session.send('GET', path, [['Range', `bytes=${whole.length}-`]]);
      // docker-registry itself states the length of the whole blob here, and sends 33 bytes.
      expect([answer.status, answer.header('Content-Length')]).toEqual([416, '0']);
      expect(answer.header('Content-Range')).toBe(`bytes */${whole.length}`);
    });

    it('HEAD says what GET says', async () => {
      const { session, path, whole } = await layer();
      const answer = await session.expectOk('HEAD', path, []);
      expect(answer.header('Content-Length')).toBe(String(whole.length));
      expect(answer.header('Docker-Content-Digest')).toBe(await sha256Of(whole));
    });

    it('one that is not there: 404 BLOB_UNKNOWN, by GET and by HEAD', async () => {
      const { session } = await layer();
      const path = `/v2/${sample}/blobs/sha256:${'0'.repeat(64)}`;
      const answer = await session.send('GET', path, []);
      expect([answer.status, new TextDecoder().decode(answer.body)]).toEqual([
        404,
        expect.stringContaining('"BLOB_UNKNOWN"'),
      ]);
      expect((await session.send('HEAD', path, [])).status).toBe(404);
    });
  });
});
