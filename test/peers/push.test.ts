import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { widestAccept } from '../../src/upstream/api/manifests.ts';
import { alice, startDockerRegistry } from '../support/docker-registry.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type Pusher, pushers } from '../support/pushers.ts';
import { buildImage, type RealImage } from '../support/real-image.ts';
import { type Route, startRoute } from '../support/route.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';
import { startTokenGate } from '../support/token-gate.ts';
import { unpackByUmoci } from '../support/umoci.ts';

const { htpasswd, login } = alice;

interface Kind {
  readonly name: string;
  readonly login?: string;
  /** Starts the registry. @returns its address for the proxy and for requests past the proxy. */
  start(): Promise<{ url: string; stop(): Promise<void> }>;
}

const kinds: readonly Kind[] = [
  { name: 'open to all', start: () => startDockerRegistry() },
  { name: 'with htpasswd', login, start: () => startDockerRegistry({ htpasswd }) },
  {
    name: 'with a token server',
    login,
    async start() {
      const registry = await startDockerRegistry();
      const gate = await startTokenGate(registry.url, login);
      const stop = async () => {
        await gate.stop();
        await registry.stop();
      };
      return { url: gate.url, stop };
    },
  },
];

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci')).each(kinds)(
  'docker-registry $name, through the proxy',
  (kind) => {
    let home: string;
    let image: RealImage;
    let upstream: { url: string; stop(): Promise<void> };
    let route: Route;
    beforeAll(async () => {
      // podman and buildah turn the path into a name, which must not have capital letters.
      home = join(tmpdir(), `regshift-pushed-${randomUUID()}`);
      await mkdir(home);
      image = await buildImage(join(home, 'image'), 'amd64');
      upstream = await kind.start();
      route = await startRoute(upstream.url);
    });
    afterAll(async () => {
      await route?.stop();
      await upstream?.stop();
      await rm(home, { recursive: true, force: true });
    });

    const credentials = kind.login === undefined ? [] : ['--src-creds', kind.login];
    const repositoryOf = (pusher: Pusher) => `pushed/${pusher.name.replace(/[^a-z0-9]+/g, '-')}`;

    /** The digest of a tag, from `skopeo inspect`. */
    const digestAt = (host: string, repository: string) => {
      const who = kind.login === undefined ? [] : ['--creds', kind.login];
      const format = ['--tls-verify=false', '--format', '{{.Digest}}', ...who];
      return runProgram('skopeo', ['inspect', ...format, `docker://${host}/${repository}:1.0`], home);
    };

    for (const pusher of pushers) {
      it.skipIf(requirePeers(...pusher.programs))(`takes what ${pusher.name} pushes, as it is`, async () => {
        const repository = repositoryOf(pusher);
        const pushed = await pusher.push(image, `${route.relay.host}/${repository}:1.0`, kind.login);
        const stored = await digestAt(new URL(upstream.url).host, repository);
        expect(pushed?.trim()).toBe(stored);
        const source = `docker://${new URL(upstream.url).host}/${repository}:1.0`;
        const root = await unpackByUmoci(source, home, credentials);
        expect(await readTree(root)).toEqual(image.files);
        expect(await digestAt(route.relay.host, repository)).toBe(stored);
      });
    }

    it('takes what is copied from one repository to another, and mounts what is there', async () => {
      const [from] = pushers;
      const repository = from ? repositoryOf(from) : '';
      const host = `docker://${route.relay.host}`;
      route.relay.forget();
      const both = kind.login === undefined ? [] : [...credentials, '--dest-creds', kind.login];
      await skopeoCopy(home, `${host}/${repository}:1.0`, `${host}/pushed/again:1.0`, ...both);
      const mounts = route.relay.exchanges.filter(({ path }) => path.includes('mount='));
      expect(new Set(mounts.map(({ method, status }) => `${method} ${status}`))).toEqual(
        new Set(['POST 201']),
      );
      expect(await digestAt(new URL(upstream.url).host, 'pushed/again')).toBe(
        await digestAt(new URL(upstream.url).host, repository),
      );
    });

    it.skipIf(kind.login === undefined)('refuses who may not push, and takes nothing of his', async () => {
      const [pusher] = pushers;
      const reference = `${route.relay.host}/pushed/refused:1.0`;
      await expect(pusher?.push(image, reference, 'alice:wrong')).rejects.toThrow(
        /unauthorized|invalid username|authentication required/i,
      );
      await expect(pusher?.push(image, reference)).rejects.toThrow(/unauthorized|authentication required/i);
      const answer = await fetch(`${upstream.url}/v2/pushed/refused/manifests/1.0`, {
        headers: { Authorization: `Basic ${btoa(login)}`, Accept: widestAccept },
      });
      await answer.body?.cancel();
      expect(answer.ok).toBe(false);
    });
  },
);
