import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { simulator, simulators } from '../support/simulators/all.ts';
import { habits } from '../support/upstreams/all.ts';
import { expectNoLeak, expectSample } from '../support/upstreams/expectations.ts';
import { basicOf, forget, type Upstream } from '../support/upstreams/habit.ts';

const sample = 'sample/oci';

/** The clients do not log in, and some of them could not reach a token server. */
describe.skipIf(requirePeers('docker-registry'))("with an account of the proxy's own", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples: [sample] });
  });
  afterAll(() => registry?.stop());

  describe.each(habits)('at $name', (habit) => {
    let upstream: Upstream;
    let proxy: RunningProxy;
    beforeAll(async () => {
      upstream = await habit.start(registry.url);
      const account: Record<string, string> = habit.login
        ? {
            REGSHIFT_UPSTREAM_AUTH: 'basic',
            REGSHIFT_UPSTREAM_USERNAME: habit.login.username,
            REGSHIFT_UPSTREAM_PASSWORD: habit.login.password,
            REGSHIFT_CLIENT_AUTH: 'none',
          }
        : { REGSHIFT_UPSTREAM_AUTH: 'anonymous' };
      proxy = await startProxy(upstream.url, { ...account, REGSHIFT_TAG_TTL: '0' });
    });
    afterAll(async () => {
      await proxy?.stop();
      await upstream?.stop();
    });

    it.each(simulators)('$name pulls', async (client) => {
      forget(upstream);
      const pulled = await client.pull({ port: proxy.port, repository: sample, reference: 'latest' });
      expectSample(pulled, sample);
      expectNoLeak(upstream, habit);
      // With a token server, only that server gets the password.
      const shown = upstream.registry.asked.filter(({ path }) => !path.includes('/token'));
      const passwords = shown.filter(({ authorization }) => authorization?.startsWith('Basic '));
      expect(passwords.length > 0).toBe(habit.login !== undefined && upstream.tokens === undefined);
      if (passwords.length > 0) expect(passwords[0]?.authorization).toBe(habit.login && basicOf(habit.login));
    });

    it('pulls when five minutes have passed, and every token is forgotten', async () => {
      const docker = simulator('Docker 1.9.1');
      const target = { port: proxy.port, repository: sample, reference: 'latest' };
      await docker.pull(target);
      upstream.tokens?.advance(301);
      expectSample(await docker.pull(target), sample);
    });
  });
});
