import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import type { Loss } from '../../../converters/model.ts';
import { fitting, type Platform } from '../../../converters/platform.ts';
import { readManifest } from '../../../converters/read.ts';
import { Failure } from '../../errors.ts';
import { isUnread } from '../../layers/layer-service.ts';
import { formName } from '../../negotiation/format-names.ts';
import { type Generation, generations } from '../../negotiation/known-clients.ts';
import { type Decision, typeToMake } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import { type ManifestOutcome, outcomeFor } from '../../registry/manifests/manifests.ts';
import { headersOf, type OpenImage } from './open-image.ts';

/** What one generation of clients would be given. */
export interface Given {
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
export async function givenToClients(image: OpenImage, platform: Platform | undefined): Promise<Given[]> {
  const all: Given[] = [];
  // One after another: each finds in memory what the one before it made.
  for (const generation of generations) all.push(await givenTo(image, generation, platform));
  return all;
}

async function givenTo(
  image: OpenImage,
  generation: Generation,
  platform: Platform | undefined,
): Promise<Given> {
  const decisions: Decision[] = [];
  const request = image.request(headersOf(generation, platform), {
    decided: (_, decision) => decisions.push(decision),
  });
  const client = generation.name;
  try {
    const { apiV2 } = request.client.profile;
    return { client, ...(apiV2 ? await byApiV2(image, request) : await byApiV1(image, request)) };
  } catch (error) {
    if (isUnread(error)) return { client, form: formOf(decisions.at(-1)), unread: true, losses: [] };
    if (error instanceof ConversionError || (error instanceof Failure && error.code === 'UNSUPPORTED')) {
      return { client, form: 'nothing', losses: [], refused: error.message };
    }
    throw error;
  }
}

function formOf(decision: Decision | undefined): string {
  const made = decision?.kind === 'image' || decision?.kind === 'index';
  return made ? formName(typeToMake(decision)) : 'registry API v1';
}

async function byApiV2(image: OpenImage, request: ClientRequest): Promise<Omit<Given, 'client'>> {
  const { route, name, reference } = image;
  const outcome = await outcomeFor(route, request, name, reference);
  const { digest, mediaType, conversion, losses } = outcome;
  if (!conversion) return { form: 'as stored', digest, mediaType, losses };
  const ofImage = await chosenBelow(image, request, outcome);
  return { form: formName(mediaType), digest, mediaType, losses: [...losses, ...(ofImage?.losses ?? [])] };
}

/** As the client goes on: of an index it asks for its platform's image, by the digest that it was told. */
async function chosenBelow(
  image: OpenImage,
  request: ClientRequest,
  { body }: ManifestOutcome,
): Promise<ManifestOutcome | undefined> {
  const model = readManifest(body);
  if (model.kind === 'image') return undefined;
  const [entry] = fitting(platformFor(image.route, request), model.dependencies);
  return entry && outcomeFor(image.route, request, image.name, { kind: 'digest', digest: entry.digest });
}

async function byApiV1(
  { route, name, reference }: OpenImage,
  request: ClientRequest,
): Promise<Omit<Given, 'client'>> {
  const { caller } = request;
  const { digest: root } = await route.resolver.resolve(name, reference, caller);
  const { entries } = await route.content.form(name, root, caller);
  const platform = platformFor(route, request);
  const digest = entries ? await route.chooser.choose(name, root, platform, caller) : root;
  const { bytes, contentType } = await route.content.manifest(name, digest, caller);
  const model = readManifest(bytes, contentType);
  if (model.kind === 'index') throw new Failure('UNSUPPORTED', 'An index inside an index holds no image.');
  const ports = route.workshop.ports(name, caller);
  const { images, losses } = await convertToRegistryV1(model, { ports, name, tag: '', unpackZstd: true });
  return { form: `registry API v1, ${images.length} images`, losses };
}
