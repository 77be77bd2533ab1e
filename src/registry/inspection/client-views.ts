import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import type { Loss } from '../../../converters/model.ts';
import type { Platform } from '../../../converters/platform.ts';
import { hasCode, isSpent, RegistryError } from '../../errors.ts';
import { isNotReadYet } from '../../layers/unread.ts';
import { formName } from '../../negotiation/format-names.ts';
import {
  type ClientHeaders,
  headersOf,
  type KnownClient,
  knownClients,
} from '../../negotiation/known-clients.ts';
import { mediaTypeOf, type Selection } from '../../negotiation/negotiate.ts';
import type { Reason } from '../../negotiation/reasons.ts';
import type { ClientRequest } from '../client-request.ts';
import { platformFor } from '../manifests/client-platform.ts';
import { imageBelow } from '../manifests/image-below.ts';
import type { ManifestResult } from '../manifests/manifests.ts';
import type { InspectedImage } from './inspected-image.ts';

/** The response that one generation of clients gets for an image. */
export interface ClientView {
  readonly client: string;
  /** A form's name; `as stored` for the unchanged bytes of the registry. */
  readonly form: string;
  readonly digest?: Digest;
  readonly mediaType?: string;
  /** The reasons of the selections that led to it, as `explain` says them. */
  readonly because: readonly Reason[];
  /** For an index, includes the losses of the platform's image. */
  readonly losses: readonly Loss[];
  /**
   * Set if layers or images must be read before the conversion, or if the request may ask for nothing more; digest and
   * losses are then unknown.
   */
  readonly unread?: true;
  /** The reason for a refusal. */
  readonly refused?: string;
}

/**
 * Runs the proxy's own code once for each known generation of clients.
 * @param onClient called before the work for each.
 */
export async function clientViews(
  image: InspectedImage,
  platform: Platform | undefined,
  onClient: (generation: KnownClient) => void = () => {},
): Promise<ClientView[]> {
  const all: ClientView[] = [];
  // One after another, so that later generations reuse the conversions of earlier ones.
  for (const generation of knownClients) {
    onClient(generation);
    all.push(await clientView(image, generation, platform));
  }
  return all;
}

/** Runs the proxy's own code for one client. @param generation a known one, maybe of another version. */
export function clientView(
  image: InspectedImage,
  generation: KnownClient,
  platform: Platform | undefined,
): Promise<ClientView> {
  return viewFor(image, generation.name, headersOf(generation, platform));
}

/** Runs the proxy's own code for a client with these headers. */
export async function viewFor(
  image: InspectedImage,
  client: string,
  headers: ClientHeaders,
): Promise<ClientView> {
  const selections: Selection[] = [];
  const request = image.request(headers, {
    onSelection: (_, selection) => selections.push(selection),
  });
  const { apiV2 } = request.client.profile;
  try {
    const view = apiV2 ? await byApiV2(image, request) : await byApiV1(image, request);
    return { client, because: reasonsOf(selections), ...view };
  } catch (error) {
    const because = reasonsOf(selections);
    if (isNotReadYet(error) || isSpent(error))
      return { client, form: formOf(selections.at(-1), apiV2), unread: true, because, losses: [] };
    if (error instanceof ConversionError || hasCode(error, ...ownErrors)) {
      return { client, form: 'nothing', because, losses: [], refused: error.message };
    }
    throw error;
  }
}

/** Errors that one client gets for an image that there is: an index may name an image that the registry has lost. */
const ownErrors = ['UNSUPPORTED', 'MANIFEST_UNKNOWN'] as const;

function reasonsOf(selections: readonly Selection[]): Reason[] {
  return selections.map(({ because }) => because);
}

/** Names the form of a conversion that has not run. Registry API v1 makes no selection. */
function formOf(selection: Selection | undefined, apiV2: boolean): string {
  const converted = selection?.kind === 'image' || selection?.kind === 'index';
  if (converted) return formName(mediaTypeOf(selection));
  return apiV2 ? 'not known yet' : 'registry API v1';
}

type View = Omit<ClientView, 'client' | 'because'>;

async function byApiV2(image: InspectedImage, request: ClientRequest): Promise<View> {
  const { registry, name, reference } = image;
  const result = await registry.manifests.get(request, name, reference);
  const { digest, mediaType, conversion, losses } = result;
  if (!conversion) return { form: 'as stored', digest, mediaType, losses };
  const ofImage = await viewOfImageBelow(image, request, result);
  return { form: formName(mediaType), digest, mediaType, losses: [...losses, ...(ofImage?.losses ?? [])] };
}

/** Gets the platform's image of an index by its digest, as a client does next. */
async function viewOfImageBelow(
  image: InspectedImage,
  request: ClientRequest,
  { body, mediaType }: ManifestResult,
): Promise<ManifestResult | undefined> {
  const digest = imageBelow(body, mediaType, platformFor(image.registry, request));
  return digest && image.registry.manifests.get(request, image.name, { kind: 'digest', digest });
}

async function byApiV1({ registry, name, reference }: InspectedImage, request: ClientRequest): Promise<View> {
  if (reference.kind === 'digest')
    throw new RegistryError('UNSUPPORTED', 'The client pulls by registry API v1, which has no digests.');
  const { context } = request;
  const { digest: root } = await registry.stored.resolve(name, reference, context);
  const { entries } = await registry.stored.getManifestInfo(name, root, context);
  const platform = platformFor(registry, request);
  const digest = entries ? await registry.stored.selectPlatform(name, root, platform, context) : root;
  const model = await registry.stored.getModel(name, digest, context);
  if (model.kind === 'index')
    throw new RegistryError('UNSUPPORTED', 'The index names another index instead of an image.');
  const ports = registry.stored.ports(name, context);
  const { images, losses } = await convertToRegistryV1(model, { ports, name, tag: '', unpackZstd: true });
  return { form: `registry API v1, ${images.length} ${images.length === 1 ? 'image' : 'images'}`, losses };
}
