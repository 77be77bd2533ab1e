import { afterAll, beforeAll, describe, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { describeEachClient, expectPulls, freshRelay } from '../support/clients/each.ts';
import { requirePeers } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { serveOnWorkerd, type WireServer } from '../support/wire-server.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/** The media types of all manifests on the wire; pull.test.ts tests the forms at length. */
const cases = [
  { pin: 'auto', repository: 'real/index', types: [ociIndex, ociManifest] },
  { pin: 'auto', repository: 'real/generic', types: [schema2] },
  // dockerd 20.10 cannot decompress zstd: the Worker decompresses the layers by its own codec.
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

  describeEachClient((client) => {
    it.each(cases)('$pin: $repository, by tag and by digest', async ({ pin, repository, types }) => {
      const expected = types.map((type) => `200 ${type}`).toSorted();
      await expectPulls(client(), freshRelay(relays, pin), repository, {
        files: registry.files,
        types: expected,
      });
    });
  });
});
