import type { HeaderLine } from '../old-clients.ts';
import type { RawResponse } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import { pingAndLogIn } from './ping.ts';
import { readSchema1 } from './schema1-image.ts';
import { type Session, startSession } from './session.ts';
import type { Simulator, Target } from './simulator.ts';
import { decompressLayer, holdsFiles } from './unpack.ts';

export interface EarlyDocker {
  readonly name: string;
  readonly headers: readonly HeaderLine[];
  readonly pings: number;
  readonly actions: 'pull' | 'push,pull';
  /** Whether the engine requests a layer's size first, and trusts it (1.8 and 1.9). */
  readonly headsLayers: boolean;
  /** Whether a pull by digest needs a header that confirms the digest (1.6); later engines compute it. */
  readonly needsDigestHeader: boolean;
}

/** Docker 1.6 to 1.9: no Accept, so schema 1. The engine downloads every layer, with empty and repeated ones. */
export function earlyDocker(engine: EarlyDocker): Simulator {
  const { name, pings: times, actions } = engine;
  return {
    name,
    async pull(target) {
      const session = startSession(target);
      const headers = headersOn(engine, target);
      await pingAndLogIn(session, { headers, times, actions });
      const path = `/v2/${target.repository}/manifests/${target.reference}`;
      const answer = await session.expectOk('GET', path, headers);
      const image = await readSchema1(answer, 127);
      checkDigest(engine, target, answer, image.digest);
      const layers: Uint8Array[] = [];
      for (const { blobSum } of image.layers) {
        layers.push(decompressLayer(await fetchLayer(engine, session, headers, blobSum), false));
      }
      return {
        digest: image.digest,
        types: [answer.header('Content-Type') ?? ''],
        config: image.config,
        layers: layers.filter(holdsFiles),
        requests: session.requests,
      };
    },
  };
}

export function headersOn({ headers }: Pick<EarlyDocker, 'headers'>, target: Target): HeaderLine[] {
  const { architecture = 'amd64' } = target;
  return headers.map(([name, value]) => [name, value.replace(' arch/amd64', ` arch/${architecture}`)]);
}

function checkDigest(engine: EarlyDocker, { reference }: Target, answer: RawResponse, digest: string): void {
  const stated = answer.header('Docker-Content-Digest');
  if (stated !== undefined && stated !== digest)
    throw new Error(`the registry says ${stated}, and it is ${digest}`);
  if (!reference.includes(':')) return;
  if (reference !== digest) throw new Error(`image verification failed for digest ${reference}`);
  if (engine.needsDigestHeader && stated === undefined) throw new Error('no digest to verify');
}

async function fetchLayer(
  { headsLayers }: EarlyDocker,
  session: Session,
  headers: readonly HeaderLine[],
  blobSum: string,
): Promise<Uint8Array> {
  const path = `/v2/${session.target.repository}/blobs/${blobSum}`;
  const size = headsLayers
    ? (await session.expectOk('HEAD', path, headers)).header('Content-Length')
    : undefined;
  const layer = await session.expectOk('GET', path, headers);
  const stated = headsLayers ? size : layer.header('Content-Length');
  if (stated === undefined) throw new Error(`${path}: no Content-Length`);
  if (Number(stated) !== layer.body.length)
    throw new Error(`${path}: ${layer.body.length} bytes, not ${stated}`);
  if (layer.header('Content-Encoding') !== undefined) throw new Error(`${path}: encoded`);
  // Only 1.6 extracts unverified layers; no test should depend on that.
  if ((await sha256Of(layer.body)) !== blobSum)
    throw new Error(`filesystem layer verification failed: ${blobSum}`);
  return layer.body;
}
