import { mediaTypes } from '../../../converters/media-types.ts';
import type { HeaderLine } from '../old-clients.ts';
import { sha256Of } from '../sha256.ts';
import { chooseChild, fetchImage } from './image-manifest.ts';
import { pingAndLogIn } from './ping.ts';
import { type Session, startSession } from './session.ts';
import type { PulledImage, Simulator } from './simulator.ts';

const { schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/** skopeo and podman: their shared library, containers/image, checks digests and sizes of all content. */
export function containersImage(name: string, headers: readonly HeaderLine[]): Simulator {
  const plain = headers.filter(([header]) => header !== 'Accept');
  return {
    name,
    async pull(target) {
      const session = startSession(target);
      await pingAndLogIn(session, { headers: plain, times: 1, actions: 'pull' });
      const pulled = await pullManifest(session, headers, target.reference);
      return { ...pulled, requests: session.requests };
    },
  };
}

async function pullManifest(
  session: Session,
  headers: readonly HeaderLine[],
  reference: string,
): Promise<Omit<PulledImage, 'requests'>> {
  const { repository, architecture } = session.target;
  const { body, ...answer } = await session.expectOk(
    'GET',
    `/v2/${repository}/manifests/${reference}`,
    headers,
  );
  const type = answer.header('Content-Type') ?? '';
  const digest = await sha256Of(body);
  if (reference.includes(':') && reference !== digest) throw new Error(`${reference} is ${digest}`);
  if (type === dockerList || type === ociIndex) {
    const chosen = chooseChild({ body, ...answer }, architecture);
    const child = await pullManifest(session, headers, chosen.digest);
    if (child.types[0] !== chosen.mediaType) throw new Error(`${chosen.digest} is not ${chosen.mediaType}`);
    return { ...child, digest, types: [type, ...child.types] };
  }
  if (type !== schema2 && type !== ociManifest) throw new Error(`unsupported manifest type ${type}`);
  const plain = headers.filter(([header]) => header !== 'Accept');
  const rules = { checksSizes: true, knowsZstd: true, blobHeaders: () => plain };
  return { digest, types: [type], ...(await fetchImage(session, body, rules)) };
}
