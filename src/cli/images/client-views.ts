import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import type { Loss } from '../../../converters/model.ts';
import { fitting, type Platform } from '../../../converters/platform.ts';
import { readManifest } from '../../../converters/read.ts';
import { RegistryError } from '../../errors.ts';
import { isNotReadYet } from '../../layers/layer-service.ts';
import { formName } from '../../negotiation/format-names.ts';
import { type KnownClient, knownClients } from '../../negotiation/known-clients.ts';
import { mediaTypeOf, type Selection } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import type { ManifestResult } from '../../registry/manifests/manifests.ts';
import { headersOf, type OpenImage } from './open-image.ts';

/** What one generation of clients would be given. */
export interface ClientView {
  readonly client: string;
  /** A form's name; `as stored` for the very bytes that the registry holds. */
  readonly form: string;
  readonly digest?: Digest;
  readonly mediaType?: string;
  /** Of an index, those of the platform's image too. */
  readonly losses: readonly Loss[];
  /** Layers must be read before it can be made, so its digest and losses are not known yet. */
  readonly unread?: true;
  /** Why nothing is given. */
  readonly refused?: string;
}

/** Asks the program itself, once for each generation; no rule is written here. */
export async function clientViews(image: OpenImage, platform: Platform | undefined): Promise<ClientView[]> {
  const all: ClientView[] = [];
  // One after another: each finds in memory what the one before it made.
  for (const generation of knownClients) all.push(await givenTo(image, generation, platform));
  return all;
}

async function givenTo(
  image: OpenImage,
  generation: KnownClient,
  platform: Platform | undefined,
): Promise<ClientView> {
  const decisions: Selection[] = [];
  const request = image.request(headersOf(generation, platform), {
    onSelection: (_, decision) => decisions.push(decision),
  });
  const client = generation.name;
  try {
    const { apiV2 } = request.client.profile;
    return { client, ...(apiV2 ? await byApiV2(image, request) : await byApiV1(image, request)) };
  } catch (error) {
    if (isNotReadYet(error)) return { client, form: formOf(decisions.at(-1)), unread: true, losses: [] };
    if (
      error instanceof ConversionError ||
      (error instanceof RegistryError && error.code === 'UNSUPPORTED')
    ) {
      return { client, form: 'nothing', losses: [], refused: error.message };
    }
    throw error;
  }
}

function formOf(selection: Selection | undefined): string {
  const made = selection?.kind === 'image' || selection?.kind === 'index';
  return made ? formName(mediaTypeOf(selection)) : 'registry API v1';
}

async function byApiV2(image: OpenImage, request: ClientRequest): Promise<Omit<ClientView, 'client'>> {
  const { registry, name, reference } = image;
  const result = await registry.manifests.get(request, name, reference);
  const { digest, mediaType, conversion, losses } = result;
  if (!conversion) return { form: 'as stored', digest, mediaType, losses };
  const ofImage = await chosenBelow(image, request, result);
  return { form: formName(mediaType), digest, mediaType, losses: [...losses, ...(ofImage?.losses ?? [])] };
}

/** As the client goes on: of an index it asks for its platform's image, by the digest that it was told. */
async function chosenBelow(
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
    throw new RegistryError('UNSUPPORTED', 'An index inside an index holds no image.');
  const ports = registry.stored.ports(name, context);
  const { images, losses } = await convertToRegistryV1(model, { ports, name, tag: '', unpackZstd: true });
  return { form: `registry API v1, ${images.length} images`, losses };
}
