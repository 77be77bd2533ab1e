import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushSample } from '../support/push.ts';
import { simulators } from '../support/simulators/all.ts';
import { habits } from '../support/upstreams/all.ts';
import { expectNoLeak, expectSample } from '../support/upstreams/expectations.ts';
import { forget, type Upstream } from '../support/upstreams/habit.ts';

const sample = 'sample/schema2-empty-layers';

describe.skipIf(requirePeers('docker-registry'))('REGSHIFT_BLOBS=redirect', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushSample(registry.url, sample);
  });
  afterAll(() => registry?.stop());

  describe.each(habits)('in front of $name', (habit) => {
    let upstream: Upstream;
    let proxy: RunningProxy;
    beforeAll(async () => {
      upstream = await habit.start(registry.url);
      proxy = await startProxy(upstream.url, { REGSHIFT_BLOBS: 'redirect' });
    });
    afterAll(async () => {
      await proxy?.stop();
      await upstream?.stop();
    });

    it.each(simulators)('$name pulls', async (client) => {
      forget(upstream);
      const target = { port: proxy.port, repository: sample, reference: 'latest', login: habit.login };
      const pulled = await client.pull(target);
      expectSample(pulled, sample);
      expectNoLeak(upstream, habit);
      // What is on another host is fetched there; what is not, at the proxy, whatever Location upstream wrote.
      const elsewhere = new Set(pulled.requests.flatMap((each) => each.match(/http:\/\/[^/]+/) ?? []));
      expect([...elsewhere].filter((url) => url !== `http://127.0.0.1:${proxy.port}`)).toEqual(
        upstream.storage ? [upstream.storage.url] : [],
      );
    });
  });
});
