import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { Platform } from '../../../converters/platform.ts';
import { RegistryError } from '../../errors.ts';
import { registryErrorFrom } from '../../http/errors.ts';
import { getManifestResponse } from '../../http/v2/manifests.ts';
import { isNotReadYet } from '../../layers/unread.ts';
import { type ClientHeaders, findKnownClient, headersOf } from '../../negotiation/known-clients.ts';
import type { Pin, Selection } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { viewFor } from '../../registry/inspection/client-views.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import { orKnownTags } from '../images/known-tags.ts';
import { type OpenImage, openImage } from '../images/open-image.ts';
import type { AccessOptions } from '../registry-options.ts';
import { type DataOptions, type Io, printData, printNote, withDigests } from '../terminal/io.ts';
import { exitCodes, UsageError, unknownClient } from '../usage.ts';
import {
  type Answer,
  type ExplanationStep,
  explanationJson,
  printExplanation,
  unreadText,
} from './print-explanation.ts';

interface Options extends AccessOptions, DataOptions {
  readonly accept?: readonly string[] | undefined;
  readonly userAgent?: string | undefined;
  readonly for?: string | undefined;
  readonly pin: Pin;
  readonly platform?: Platform | undefined;
  readonly readLayers?: true | undefined;
  readonly raw?: true | undefined;
  readonly full?: true | undefined;
}

/** `regshift explain`: runs the proxy's own code for one request, and prints each selection that it makes. */
export async function explain(text: string, options: Options, io: Io): Promise<number> {
  const headers = headersFor(options);
  const image = await openImage(text, { ...options, asProxy: true }, io);
  const selected: Selected[] = [];
  const request = image.request(headers, {
    onSelection: (manifest, selection) => selected.push({ manifest, selection }),
  });
  const answer = await orKnownTags(image, answerTo(image, request, image.request(headers)));
  const { client } = request;
  // Registry API v1 has no digests.
  const continues = !client.profile.apiV2 && image.reference.kind === 'tag' && !options.raw;
  const byApiV1 = continues ? await viewFor(image, client.name, headers) : undefined;
  if (options.raw) {
    if ('error' in answer) throw advised(answer.error);
    io.stdout(answer.result.body);
    return exitCodes.good;
  }
  const steps = await Promise.all(selected.map((each) => stepOf(each, image, request)));
  const explanation = {
    headers,
    request,
    platform: platformFor(image.registry, request),
    steps,
    answer,
    byApiV1,
  };
  if (printData(io, explanationJson(text, explanation), options)) return exitCodes.good;
  printExplanation(explanation, withDigests(io, options));
  if (options.for === undefined && options.accept === undefined && options.userAgent === undefined) {
    printNote(
      io,
      'This is for a client that sends neither Accept nor User-Agent. Name another one, like --for docker-20.10.',
    );
  }
  return exitCodes.good;
}

/** Adds what to do to the error of a layer that is not read. */
function advised(error: RegistryError): RegistryError {
  return isNotReadYet(error) ? new RegistryError(error.code, unreadText(error)) : error;
}

function headersFor({ accept, userAgent, for: client, platform }: Options): ClientHeaders {
  if (client === undefined) return { accept: accept ?? [], userAgent };
  if (accept !== undefined || userAgent !== undefined) {
    throw new UsageError('Use either --for, or --accept and --user-agent.');
  }
  const generation = findKnownClient(client);
  if (generation) return headersOf(generation, platform);
  throw unknownClient(client);
}

/**
 * Gets the response of the proxy, or the error that the client gets.
 * @param again an equal request, which gets the facts that the response does not carry.
 * @throws an error of the registry.
 */
async function answerTo(
  { registry, name, reference }: OpenImage,
  request: ClientRequest,
  again: ClientRequest,
): Promise<Answer> {
  try {
    const { headers } = await getManifestResponse(registry, request, name, reference);
    const conversion = headers.get('regshift-conversion') ?? undefined;
    return { result: await registry.manifests.get(again, name, reference), conversion };
  } catch (error) {
    const registryError = registryErrorFrom(error);
    // Errors that depend on the client are part of the explanation; errors of the registry end the command.
    const isExplained = registryError.code === 'UNSUPPORTED' || !request.client.profile.apiV2;
    if (isExplained) return { error: registryError };
    throw error;
  }
}

interface Selected {
  readonly manifest: Digest;
  readonly selection: Selection;
}

async function stepOf(
  { manifest, selection }: Selected,
  { registry, name }: OpenImage,
  { context }: ClientRequest,
): Promise<ExplanationStep> {
  try {
    const { mediaType } = await registry.stored.getManifestInfo(name, manifest, context);
    return { manifest, mediaType, selection };
  } catch (error) {
    // Clients that accept every type get documents of unknown dialects unchanged.
    if (error instanceof ConversionError && error.code === 'UNKNOWN_DIALECT') {
      return { manifest, mediaType: 'unknown', selection };
    }
    throw error;
  }
}
