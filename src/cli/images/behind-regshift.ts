import { RegistryError } from '../../errors.ts';
import type { Obstacle } from '../../negotiation/straight.ts';
import { requestManifest } from '../../upstream/api/manifests.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import { discard } from '../../upstream/body.ts';
import { pullV1 } from '../warm/v1-client.ts';
import type { OpenImage } from './open-image.ts';

/** Whether a regshift serves an image: each of its responses with a manifest names the stored one. */
export async function isBehindRegshift({ registry, name, reference, plain }: OpenImage): Promise<boolean> {
  const asked = referenceText(reference);
  const { response } = await requestManifest(registry.client, 'HEAD', name, asked, plain.context);
  await discard(response);
  return response.headers.has('regshift-source-digest');
}

/** Asks a regshift as a client of registry API v1 does. @returns undefined if the client gets the image. */
export async function obstacleInV1(
  { registryUrl, name, reference, login, connect }: OpenImage,
  userAgent: string,
): Promise<Obstacle | undefined> {
  if (reference.kind === 'digest') {
    return { kind: 'api', reason: 'it pulls by registry API v1, which has no digests', evidence: [] };
  }
  const client = { proxy: registryUrl, credential: login, send: connect(), userAgent };
  try {
    await pullV1(client, name, reference.tag);
    return undefined;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { kind: 'registry', reason: `regshift refuses its request: ${error.message}`, evidence: [] };
  }
}
