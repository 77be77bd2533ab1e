import { afterEach, describe, expect, it } from 'vitest';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { type Relay, startRelay } from '../support/relay.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A mirror of a registry, and regshift in front of the mirror. @param lists the value of REGSHIFT_LISTS. */
async function startBehindMirror(lists: string) {
  const registry = await startDockerRegistry({ samples: ['sample/index'] });
  stops.push(registry.stop);
  const way = await startRelay(registry.url);
  let open = true;
  const cut = async () => {
    if (open) await way.stop();
    open = false;
  };
  stops.push(cut);
  const mirror = await startDockerRegistry({ mirrorOf: `http://${way.host}` });
  stops.push(mirror.stop);
  const startAnother = async () => {
    const proxy = await startProxy(mirror.url, { REGSHIFT_LISTS: lists });
    stops.push(proxy.stop);
    return `http://127.0.0.1:${proxy.port}/v2/sample/index/manifests/latest`;
  };
  return { way, cut, startAnother };
}

const headers = manifestRequestHeaders['Docker 1.13.1'].map(([name, value]): [string, string] => [
  name,
  value,
]);
const pullTag = (url: string) => fetch(url, { headers });

/** The images that the mirror got from its registry: manifests by digest, but for the index. */
function imagesGot({ exchanges }: Relay): number {
  const got = exchanges.filter(
    ({ method, path, contentType }) =>
      method === 'GET' && path.includes('/manifests/sha256:') && contentType?.includes('.manifest.'),
  );
  return new Set(got.map(({ path }) => path)).size;
}

// docs/comparison.md, "docker-registry as a mirror".
describe.skipIf(requirePeers('docker-registry'))('in front of a mirror', () => {
  it('one image of an index is enough for an old client, also while the registry is gone', async () => {
    const { way, cut, startAnother } = await startBehindMirror('one');
    const first = await pullTag(await startAnother());
    expect([first.status, imagesGot(way)]).toEqual([200, 1]);
    await cut();
    const later = await pullTag(await startAnother());
    expect([later.status, await later.text()]).toEqual([200, await first.text()]);
  });

  it('a list of all images makes the mirror get each of them', async () => {
    const { way, startAnother } = await startBehindMirror('full');
    expect((await pullTag(await startAnother())).status).toBe(200);
    expect(imagesGot(way)).toBeGreaterThan(1);
  });
});
