import { mediaTypes } from '../../../converters/media-types.ts';
import type { HeaderLine } from '../old-clients.ts';
import type { RawResponse } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import { headersOn } from './docker-to-1.9.ts';
import { chooseChild, fetchImage, type ImageRules } from './image-manifest.ts';
import { pingAndLogIn } from './ping.ts';
import { readSchema1 } from './schema1-image.ts';
import { type Session, startSession } from './session.ts';
import type { PulledImage, Simulator } from './simulator.ts';
import { decompressLayer, holdsFiles } from './unpack.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, dockerConfig } = mediaTypes;

export interface Docker {
  readonly name: string;
  /** The headers of a manifest request. */
  readonly headers: readonly HeaderLine[];
  /** Whether a login names the client to the token server (from 1.11 on). */
  readonly namesItself: boolean;
  /** Whether the engine fails with "target is unknown" for another config type (1.13 and 17.05). */
  readonly checksConfigType: boolean;
  /** Whether the engine fails with "mediaType in manifest should be …" (from 19.03 on). */
  readonly checksMediaType: boolean;
  /** Whether the engine reads OCI (18.06, 18.09, from 19.03.5 on); else an OCI manifest ends in "missing signature key". */
  readonly readsOci: boolean;
  /** Whether the engine sends HEAD for the tag, then GET for the digest of the response (20.10). */
  readonly headsTag: boolean;
}

type Pulled = Omit<PulledImage, 'requests'>;

/** Docker 1.10 to 20.10. */
export function docker(engine: Docker): Simulator {
  const { name } = engine;
  const withLogin = engine.namesItself ? { client_id: 'docker', offline_token: 'true' } : {};
  return {
    name,
    async pull(target) {
      const session = startSession(target);
      const headers = headersOn(engine, target);
      const plain = headers.filter(([header]) => header !== 'Accept');
      await pingAndLogIn(session, { headers: plain, times: 1, actions: 'pull', withLogin });
      const reference = await referenceToGet(engine, session, headers);
      const rules: ImageRules = {
        checksSizes: false,
        knowsZstd: false,
        blobHeaders: () => plain,
        checkConfigType: (mediaType) => checkConfigType(engine, mediaType),
      };
      const pulled = await pullManifest({ engine, session, headers, rules }, reference);
      return { ...pulled, requests: session.requests };
    },
  };
}

async function referenceToGet(
  { headsTag }: Docker,
  session: Session,
  headers: readonly HeaderLine[],
): Promise<string> {
  const { repository, reference } = session.target;
  if (!headsTag || reference.includes(':')) return reference;
  const head = await session.expectOk('HEAD', `/v2/${repository}/manifests/${reference}`, headers);
  const digest = head.header('Docker-Content-Digest');
  if (digest === undefined) throw new Error('HEAD told no digest');
  return digest;
}

interface Pulling {
  readonly engine: Docker;
  readonly session: Session;
  readonly headers: readonly HeaderLine[];
  readonly rules: ImageRules;
}

async function pullManifest(pulling: Pulling, reference: string): Promise<Pulled> {
  const { engine, session, headers, rules } = pulling;
  const answer = await session.expectOk(
    'GET',
    `/v2/${session.target.repository}/manifests/${reference}`,
    headers,
  );
  const type = answer.header('Content-Type') ?? '';
  const isRead = [schema1Signed, schema2, dockerList, ...(engine.readsOci ? [ociManifest, ociIndex] : [])];
  // A type without an unmarshaller is read as signed schema 1.
  if (!isRead.includes(type as typeof schema2)) throw new Error(`missing signature key (${type})`);
  if (type === schema1Signed) return pullSchema1(pulling, answer, reference);

  const digest = await sha256Of(answer.body);
  checkReference(reference, digest);
  checkMediaType(engine, answer, type);
  if (type !== dockerList && type !== ociIndex) {
    return { digest, types: [type], ...(await fetchImage(session, answer.body, rules)) };
  }
  const child = await pullManifest(pulling, chooseChild(answer, session.target.architecture).digest);
  return { ...child, digest, types: [type, ...child.types] };
}

async function pullSchema1(
  { session, rules }: Pulling,
  answer: RawResponse,
  reference: string,
): Promise<Pulled> {
  const image = await readSchema1(answer, 125);
  checkReference(reference, image.digest);
  const layers: Uint8Array[] = [];
  for (const { blobSum, throwaway } of image.layers) {
    if (throwaway) continue;
    const path = `/v2/${session.target.repository}/blobs/${blobSum}`;
    const { body } = await session.expectOk('GET', path, rules.blobHeaders(''));
    if ((await sha256Of(body)) !== blobSum)
      throw new Error(`filesystem layer verification failed: ${blobSum}`);
    layers.push(decompressLayer(body, false));
  }
  const { digest, config } = image;
  return { digest, types: [schema1Signed], config, layers: layers.filter(holdsFiles) };
}

function checkReference(reference: string, digest: string): void {
  const isOther = reference.includes(':') && reference !== digest;
  if (isOther) throw new Error(`manifest verification failed for digest ${reference}`);
}

function checkMediaType({ checksMediaType }: Docker, answer: RawResponse, type: string): void {
  const { mediaType } = JSON.parse(new TextDecoder().decode(answer.body)) as { mediaType?: string };
  // OCI manifests may omit the mediaType.
  const isRight = mediaType === type || (mediaType === undefined && type.startsWith('application/vnd.oci.'));
  if (checksMediaType && !isRight)
    throw new Error(`mediaType in manifest should be '${type}' not '${mediaType}'`);
}

function checkConfigType({ checksConfigType }: Docker, mediaType: string): void {
  if (checksConfigType && mediaType !== dockerConfig) throw new Error(`target is unknown (${mediaType})`);
}
