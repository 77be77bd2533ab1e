import { type Digest, isDigest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { bareMediaType } from '../../../converters/media-types.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { hasCode } from '../../errors.ts';
import { headersOf } from '../../negotiation/known-clients.ts';
import type { ManifestInfo } from '../../negotiation/negotiate.ts';
import {
  apiObstacle,
  depthObstacle,
  type Obstacle,
  obstacleFor,
  ownRegistryText,
  type StraightClient,
} from '../../negotiation/straight.ts';
import { manifestError, requestManifest } from '../../upstream/api/manifests.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import { discard } from '../../upstream/body.ts';
import { serverText } from '../error-text.ts';
import { obstacleInV1 } from './behind-regshift.ts';
import { otherPlatform } from './image-platform.ts';
import type { OpenImage } from './open-image.ts';

/** The client and the server of a verdict. */
export interface ClientAndServer {
  readonly reader: StraightClient;
  readonly platform: Platform;
  /** The server is a regshift. */
  readonly behindRegshift: boolean;
}

/**
 * Finds out why a client cannot use an image straight from its registry. The registry is asked with the client's own
 * `Accept` and User-Agent, because some registries convert for it, or refuse, and a regshift goes by both.
 * @returns undefined if the client can.
 * @throws RegistryError, ConversionError for an image that cannot be read at all.
 */
export async function straightObstacle(
  image: OpenImage,
  asking: ClientAndServer,
): Promise<Obstacle | undefined> {
  const { reader, platform, behindRegshift } = asking;
  if (behindRegshift && !reader.usesProxies) {
    return { kind: 'registry', reason: ownRegistryText('it'), evidence: [] };
  }
  const ofApi = apiObstacle(reader);
  if (ofApi && !behindRegshift) return ofApi;
  if (ofApi) return obstacleInV1(image, headersFor(asking).userAgent ?? '');
  const sent = await sentTo(image, asking);
  if ('refused' in sent) {
    const refusal = refusalOf(sent.refused, behindRegshift);
    if (behindRegshift) return refusal;
    // docker-registry answers 404 to a client that does not name the form which it stores.
    const { registry, name, plain } = image;
    const stored = await registry.stored.getManifestInfo(name, sent.stored, plain.context);
    return obstacleFor(reader, stored) ?? refusal;
  }
  const obstacle = obstacleFor(reader, sent.info);
  if (obstacle || sent.digest === undefined) return obstacle;
  const chosen = await chooseImage(image, platform, sent.digest);
  return 'kind' in chosen ? chosen : obstacleFor(reader, chosen.info);
}

function refusalOf(message: string, behindRegshift: boolean): Obstacle {
  const server = behindRegshift ? 'regshift' : 'the registry';
  const text = serverText(message, behindRegshift ? 'proxy' : 'registry');
  return { kind: 'registry', reason: `${server} refuses its request: ${text}`, evidence: [] };
}

/** The headers of the client; AWS Lambda's User-Agent is not known. */
function headersFor({ reader: { program, userAgent, accept }, platform }: ClientAndServer) {
  return userAgent === undefined
    ? { userAgent, accept }
    : headersOf({ program, userAgent, accept }, platform);
}

/**
 * Why a client cannot use the stored image of its platform in any form: there is none, or it has too many layers.
 * @returns undefined if another form would help.
 */
export async function obstacleInEachForm(
  image: OpenImage,
  reader: StraightClient,
  platform: Platform,
): Promise<Obstacle | undefined> {
  const { registry, name, reference, plain } = image;
  const { digest } = await registry.stored.resolve(name, reference, plain.context);
  const chosen = await chooseImage(image, platform, digest);
  if ('kind' in chosen) return chosen;
  if (chosen.info.opaque) return undefined;
  const model = await registry.stored.getModel(name, chosen.digest, plain.context);
  return model.kind === 'image' ? depthObstacle(reader, model) : undefined;
}

type Sent =
  /** The manifest of the response; the digest is undefined if the registry converted it and does not store it. */
  | { readonly info: ManifestInfo; readonly digest: Digest | undefined }
  | { readonly refused: string; readonly stored: Digest };

/** Asks as the client does. HEAD counts as no pull. */
async function sentTo(image: OpenImage, asking: ClientAndServer): Promise<Sent> {
  const { registry, name, reference, plain } = image;
  const { digest: stored } = await registry.stored.resolve(name, reference, plain.context);
  const named = referenceText(reference);
  const { userAgent, accept } = headersFor(asking);
  const headers = { accept: accept.join(', '), userAgent };
  const ask = (method: 'HEAD' | 'GET') =>
    requestManifest(registry.client, method, name, named, plain.context, headers);
  const { response } = await ask('HEAD');
  await discard(response);
  if (response.status === 404) {
    // A response to HEAD has no message.
    const again = await ask('GET');
    if (!again.response.ok) {
      return { refused: (await manifestError(again.response, name, named)).message, stored };
    }
    await discard(again.response);
  }
  const header = response.headers.get('docker-content-digest');
  const digest = response.ok && isDigest(header) ? header : stored;
  try {
    return { info: await registry.stored.getManifestInfo(name, digest, plain.context), digest };
  } catch (error) {
    const isConverted = digest !== stored && hasCode(error, 'MANIFEST_UNKNOWN');
    if (!isConverted) throw error;
    return { info: convertedInfo(response.headers.get('content-type') ?? ''), digest: undefined };
  }
}

/** The known facts of a manifest that the registry makes for each request. */
function convertedInfo(contentType: string): ManifestInfo {
  const mediaType = bareMediaType(contentType);
  return { mediaType, entries: undefined, zstd: false, dockerZstdType: false, singleFamily: true };
}

interface ChosenImage {
  readonly digest: Digest;
  readonly info: ManifestInfo;
}

/** The image for a platform, in an index or by itself; or the obstacle that there is none. */
async function chooseImage(
  { registry, name, plain }: OpenImage,
  platform: Platform,
  digest: Digest,
): Promise<ChosenImage | Obstacle> {
  const { stored } = registry;
  const info = await stored.getManifestInfo(name, digest, plain.context);
  if (info.opaque) return { digest, info };
  if (info.entries) {
    try {
      const chosen = await stored.selectPlatform(name, digest, platform, plain.context);
      return { digest: chosen, info: await stored.getManifestInfo(name, chosen, plain.context) };
    } catch (error) {
      if (error instanceof ConversionError && error.code === 'NO_PLATFORM') return noPlatform(error.message);
      throw error;
    }
  }
  const model = await stored.getModel(name, digest, plain.context);
  const own = await otherPlatform(model, platform, stored.ports(name, plain.context));
  if (own === undefined) return { digest, info };
  return noPlatform(`the image is for ${formatPlatform(own)}, and not for ${formatPlatform(platform)}`);
}

function noPlatform(reason: string): Obstacle {
  return { kind: 'platform', reason, evidence: [] };
}
