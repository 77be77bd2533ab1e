import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { Platform } from '../../../converters/platform.ts';
import { registryErrorFrom } from '../../http/errors.ts';
import { getManifestResponse } from '../../http/v2/manifests.ts';
import { findKnownClient, knownClients } from '../../negotiation/known-clients.ts';
import type { Pin, Selection } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import { type ClientHeaders, headersOf, type OpenImage, openImage } from '../images/open-image.ts';
import { type Io, printJson } from '../terminal/io.ts';
import { exitCodes, UsageError } from '../usage.ts';
import { type Answer, type ExplanationStep, explanationJson, printExplanation } from './print-explanation.ts';

interface Options {
  readonly accept?: readonly string[] | undefined;
  readonly userAgent?: string | undefined;
  readonly for?: string | undefined;
  readonly pin: Pin;
  readonly plainHttp?: true | undefined;
  readonly platform?: Platform | undefined;
  readonly readLayers?: true | undefined;
  readonly json?: true | undefined;
}

/** `regshift explain`. What is told is what the proxy's own code said on its way to the answer. */
export async function explain(text: string, options: Options, io: Io): Promise<number> {
  const headers = headersFor(options);
  const image = await openImage(text, options, io);
  const decided: Decided[] = [];
  const request = image.request(headers, {
    onSelection: (manifest, decision) => decided.push({ manifest, selection: decision }),
  });
  const answer = await answerTo(image, request, image.request(headers));
  const steps = await Promise.all(decided.map((each) => stepOf(each, image, request)));
  const told = { headers, request, platform: platformFor(image.registry, request), steps, answer };
  if (options.json) printJson(io, explanationJson(text, told));
  else printExplanation(told, io);
  return exitCodes.good;
}

function headersFor({ accept, userAgent, for: client, platform }: Options): ClientHeaders {
  if (client === undefined) return { accept: accept ?? [], userAgent };
  if (accept !== undefined || userAgent !== undefined) {
    throw new UsageError('--for stands in place of --accept and --user-agent: give either it or them.');
  }
  const generation = findKnownClient(client);
  if (generation) return headersOf(generation, platform);
  throw new UsageError(
    `${client} is not known here; there are ${knownClients.map(({ id }) => id).join(', ')}.`,
  );
}

/** @param again the same request, for what the first answer does not tell. */
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
    const failure = registryErrorFrom(error);
    // What is the matter with this client is an answer; what is the matter with the registry is not.
    if (failure.code === 'UNSUPPORTED' || !request.client.profile.apiV2) return { error: failure };
    throw error;
  }
}

interface Decided {
  readonly manifest: Digest;
  readonly selection: Selection;
}

async function stepOf(
  { manifest, selection }: Decided,
  { registry, name }: OpenImage,
  { context }: ClientRequest,
): Promise<ExplanationStep> {
  try {
    const { mediaType } = await registry.stored.getManifestInfo(name, manifest, context);
    return { manifest, mediaType, selection };
  } catch (error) {
    // A document of no known dialect passes too, for who takes anything.
    if (error instanceof ConversionError && error.code === 'UNKNOWN_DIALECT') {
      return { manifest, mediaType: 'unknown', selection };
    }
    throw error;
  }
}
