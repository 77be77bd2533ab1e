import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { clientPrograms } from '../support/clients/all.ts';
import type { Client } from '../support/clients/client.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { manifestAnswers, manifestTypes, type Relay, startRelay } from '../support/relay.ts';
import { serveOnWorkerd, type WireServer } from '../support/wire-server.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/** The types of all manifests that passed on the wire; what the forms are is tested at length in pull.test.ts. */
const cases = [
  { pin: 'auto', repository: 'real/index', types: [ociIndex, ociManifest] },
  { pin: 'auto', repository: 'real/generic', types: [schema2] },
  // dockerd 20.10 cannot unpack it: its layers come unpacked, by the Worker's own means.
  { pin: 'auto', repository: 'real/zstd', types: [ociManifest] },
  { pin: 'schema1', repository: 'real/index', types: [schema1Signed] },
  { pin: 'schema1', repository: 'real/zstd', types: [schema1Signed] },
  { pin: 'schema2', repository: 'real/index', types: [dockerList, schema2] },
  { pin: 'schema2', repository: 'real/oci', types: [schema2] },
] as const;

type Pin = (typeof cases)[number]['pin'];

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('pulled through the Worker', () => {
  let registry: RealRegistry;
  const workers: WireServer[] = [];
  const relays = new Map<Pin, Relay>();
  beforeAll(async () => {
    registry = await startRealRegistry();
    for (const pin of ['auto', 'schema1', 'schema2'] as const) {
      const worker = await serveOnWorkerd(registry.url, { REGSHIFT_FORMAT: pin });
      workers.push(worker);
      relays.set(pin, await startRelay(`http://127.0.0.1:${worker.port}`));
    }
  });
  afterAll(async () => {
    for (const each of [...relays.values(), ...workers]) await each.stop();
    await registry?.stop();
  });

  /** The relay before a Worker, with nothing recorded yet. */
  const fresh = (pin: Pin): Relay => {
    const relay = relays.get(pin);
    if (!relay) throw new Error(`no Worker is pinned to ${pin}`);
    relay.forget();
    return relay;
  };

  for (const { name, programs, start } of clientPrograms) {
    describe.skipIf(requirePeers(...programs))(`by ${name}`, () => {
      let client: Client;
      beforeAll(async () => {
        client = await start();
      });
      afterAll(() => client?.stop());

      it.each(cases)('$pin: $repository, by tag and by digest', async ({ pin, repository, types }) => {
        const expected = types.map((type) => `200 ${type}`).toSorted();
        const relay = fresh(pin);
        const byTag = await client.pull(`${relay.host}/${repository}:latest`);
        expect(await readTree(byTag)).toEqual(registry.files);
        expect(manifestTypes(relay)).toEqual(expected);
        const told = manifestAnswers(relay)[0]?.digest;

        relay.forget();
        const byDigest = await client.pull(`${relay.host}/${repository}@${told}`);
        expect(await readTree(byDigest)).toEqual(registry.files);
        expect(manifestTypes(relay)).toEqual(expected);
      });
    });
  }
});
