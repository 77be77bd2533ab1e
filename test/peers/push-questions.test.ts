import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { dockerPusher, pushers } from '../support/pushers.ts';
import { buildImage } from '../support/real-image.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { type Route, startRoute } from '../support/route.ts';

const all = [...pushers, dockerPusher];

/** Every pusher sends a HEAD for each part of an image that it has not pushed before. */
describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))(
  'a push into a repository that has images',
  () => {
    let home: string;
    let upstream: DockerRegistry;
    let behind: Relay;
    let route: Route;
    beforeAll(async () => {
      // podman and buildah turn the path into a name, which must not have capital letters.
      home = join(tmpdir(), `regshift-push-questions-${randomUUID()}`);
      await mkdir(home);
      // `sample/oci` has tags that a search would read.
      upstream = await startDockerRegistry({ samples: ['sample/oci'] });
      behind = await startRelay(upstream.url);
      route = await startRoute(`http://${behind.host}`);
    });
    afterAll(async () => {
      await route?.stop();
      await behind?.stop();
      await upstream?.stop();
      await rm(home, { recursive: true, force: true });
    });

    it.each(all.filter(({ programs }) => !requirePeers(...programs)))(
      'by $name asks the registry what the pusher asks, and searches nothing',
      async (pusher) => {
        const tag = pusher.name.replace(/[^a-z0-9]+/g, '-');
        // Its layers are random: the registry has none of them.
        const image = await buildImage(join(home, tag), 'amd64');
        route.relay.forget();
        behind.forget();
        await pusher.push(image, `${route.relay.host}/sample/oci:${tag}`);
        const asked = behind.exchanges.map(({ method, path }) => `${method} ${path}`);
        expect(asked.filter((each) => /tags\/list|manifests\/(latest|1\.0)$/.test(each))).toEqual([]);
        expect(asked.length).toBeLessThanOrEqual(route.relay.exchanges.length);
        expect(asked.filter((each) => each.startsWith('HEAD')).length).toBeGreaterThan(0);
      },
    );
  },
);
