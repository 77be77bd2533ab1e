import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBalancer } from '../support/balancer.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { simulator } from '../support/simulators/all.ts';
import { habits } from '../support/upstreams/all.ts';
import { getsOfManifests } from '../support/upstreams/docker-hub.ts';
import { expectNoLeak, expectPulls, expectSample } from '../support/upstreams/expectations.ts';
import { forget, type Habit, type Upstream } from '../support/upstreams/habit.ts';

/** With these samples a proxy serves manifests, configs (v1-target) and layers (zstd) that upstream does not have. */
const samples = [
  'sample/generic',
  'sample/generic-v1-target',
  'sample/oci',
  'sample/oci-zstd',
  'sample/index',
];
const clients = ['Docker 1.6.2', 'Docker 1.9.1', 'Docker 17.05', 'Docker 20.10', 'containerd 1.6'];
const cells = clients.flatMap((client) => samples.map((sample) => ({ client, sample })));

/** The setting that allows a search: by default a proxy spends no counted pulls on it. */
const searching = ({ countsPulls }: Habit): Record<string, string> =>
  countsPulls ? { REGSHIFT_WALK_GETS: '8' } : {};

describe.skipIf(requirePeers('docker-registry'))('digests that a proxy gave out', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples });
  });
  afterAll(() => registry?.stop());

  describe.each(habits)('$name', (habit) => {
    let upstream: Upstream;
    beforeAll(async () => {
      upstream = await habit.start(registry.url);
    });
    afterAll(() => upstream?.stop());

    const target = ({ port }: { readonly port: number }, sample: string, reference = '1.0') => ({
      port,
      repository: sample,
      reference,
      login: habit.login,
    });
    const using = async <Result>(
      variables: Record<string, string>,
      work: (proxy: RunningProxy) => Promise<Result>,
    ): Promise<Result> => {
      const proxy = await startProxy(upstream.url, variables);
      try {
        return await work(proxy);
      } finally {
        await proxy.stop();
      }
    };

    it.each(cells)('$client pulls $sample from one that was started anew', async ({ client, sample }) => {
      const docker = simulator(client);
      const first = await using({}, (proxy) => docker.pull(target(proxy, sample)));
      forget(upstream);
      const again = await using(searching(habit), (proxy) =>
        docker.pull(target(proxy, sample, first.digest)),
      );
      expectSample(again, sample);
      expect([again.digest, again.types]).toEqual([first.digest, first.types]);
      expectNoLeak(upstream, habit);
    });

    it.each(cells)('$client pulls $sample from three at once', async ({ client, sample }) => {
      const variables = searching(habit);
      await using(variables, (one) =>
        using(variables, (two) =>
          using(variables, async (three) => {
            const balancer = await startBalancer([one.port, two.port, three.port]);
            try {
              const pulled = await simulator(client).pull(target(balancer, sample));
              expectSample(pulled, sample);
            } finally {
              await balancer.stop();
            }
          }),
        ),
      );
    });

    it.runIf(habit.countsPulls)(
      'are found without a pull once the tag was pulled, and not before',
      async () => {
        const docker = simulator('Docker 1.9.1');
        const { digest } = await using({}, (proxy) => docker.pull(target(proxy, 'sample/index')));
        await using({}, async (proxy) => {
          forget(upstream);
          const byDigest = target(proxy, 'sample/index', digest);
          await expect(docker.pull(byDigest)).rejects.toThrow('404');
          expect(getsOfManifests(upstream.registry)).toEqual([]);
          await simulator('Docker 17.05').pull(target(proxy, 'sample/index', 'latest'));
          await docker.pull(target(proxy, 'sample/index'));
          expectSample(await docker.pull(byDigest), 'sample/index');
          expectPulls(upstream, 2);
        });
      },
    );
  });
});
