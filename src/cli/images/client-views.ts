import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import type { Loss } from '../../../converters/model.ts';
import { fitting, type Platform } from '../../../converters/platform.ts';
import { readManifest } from '../../../converters/read.ts';
import { RegistryError } from '../../errors.ts';
import { isNotReadYet } from '../../layers/layer-service.ts';
import { formName } from '../../negotiation/format-names.ts';
import { headersOf, type KnownClient, knownClients } from '../../negotiation/known-clients.ts';
import { mediaTypeOf, type Selection } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import type { ManifestResult } from '../../registry/manifests/manifests.ts';
import type { OpenImage } from './open-image.ts';

/** The response that one generation of clients gets for an image. */
export interface ClientView {
  readonly client: string;
  /** A form's name; `as stored` for the unchanged bytes of the registry. */
  readonly form: string;
  readonly digest?: Digest;
  readonly mediaType?: string;
  /** For an index, includes the losses of the platform's image. */
  readonly losses: readonly Loss[];
  /** Set if layers must be read before the conversion; digest and losses are then unknown. */
  readonly unread?: true;
  /** The reason for a refusal. */
  readonly refused?: string;
}

/** Runs the proxy's own code once for each known generation of clients. */
export async function clientViews(image: OpenImage, platform: Platform | undefined): Promise<ClientView[]> {
  const all: ClientView[] = [];
  // One after another, so that later generations reuse the conversions of earlier ones.
  for (const generation of knownClients) all.push(await viewFor(image, generation, platform));
  return all;
}

async function viewFor(
  image: OpenImage,
  generation: KnownClient,
  platform: Platform | undefined,
): Promise<ClientView> {
  const selections: Selection[] = [];
  const request = image.request(headersOf(generation, platform), {
    onSelection: (_, selection) => selections.push(selection),
  });
  const client = generation.name;
  try {
    const { apiV2 } = request.client.profile;
    return { client, ...(apiV2 ? await byApiV2(image, request) : await byApiV1(image, request)) };
  } catch (error) {
    if (isNotReadYet(error)) return { client, form: formOf(selections.at(-1)), unread: true, losses: [] };
    if (
      error instanceof ConversionError ||
      (error instanceof RegistryError && error.code === 'UNSUPPORTED')
    ) {
      return { client, form: 'nothing', losses: [], refused: error.message };
    }
    throw error;
  }
}

/** Names the form of a conversion that has not run. Registry API v1 makes no selection. */
function formOf(selection: Selection | undefined): string {
  const converted = selection?.kind === 'image' || selection?.kind === 'index';
  return converted ? formName(mediaTypeOf(selection)) : 'registry API v1';
}

async function byApiV2(image: OpenImage, request: ClientRequest): Promise<Omit<ClientView, 'client'>> {
  const { registry, name, reference } = image;
  const result = await registry.manifests.get(request, name, reference);
  const { digest, mediaType, conversion, losses } = result;
  if (!conversion) return { form: 'as stored', digest, mediaType, losses };
  const ofImage = await imageBelow(image, request, result);
  return { form: formName(mediaType), digest, mediaType, losses: [...losses, ...(ofImage?.losses ?? [])] };
}

/** Gets the platform's image of an index by its digest, as a client does next. */
async function imageBelow(
  image: OpenImage,
  request: ClientRequest,
  { body }: ManifestResult,
): Promise<ManifestResult | undefined> {
  const model = readManifest(body);
  if (model.kind === 'image') return undefined;
  const [entry] = fitting(platformFor(image.registry, request), model.dependencies);
  return entry && image.registry.manifests.get(request, image.name, { kind: 'digest', digest: entry.digest });
}

async function byApiV1(
  { registry, name, reference }: OpenImage,
  request: ClientRequest,
): Promise<Omit<ClientView, 'client'>> {
  const { context } = request;
  const { digest: root } = await registry.stored.resolve(name, reference, context);
  const { entries } = await registry.stored.getManifestInfo(name, root, context);
  const platform = platformFor(registry, request);
  const digest = entries ? await registry.stored.selectPlatform(name, root, platform, context) : root;
  const { bytes, contentType } = await registry.stored.getManifest(name, digest, context);
  const model = readManifest(bytes, contentType);
  if (model.kind === 'index')
    throw new RegistryError('UNSUPPORTED', 'The index names another index instead of an image.');
  const ports = registry.stored.ports(name, context);
  const { images, losses } = await convertToRegistryV1(model, { ports, name, tag: '', unpackZstd: true });
  return { form: `registry API v1, ${images.length} images`, losses };
}
