import type { Digest } from '../../converters/digest.ts';
import { formatPlatform, type Platform } from '../../converters/platform.ts';
import { isUnread } from '../derived/layer-desk.ts';
import { Failure } from '../errors.ts';
import { readAccept } from '../negotiation/accept.ts';
import type { ProfileRow } from '../negotiation/client-profile.ts';
import { type Decision, type Pin, typeToMake } from '../negotiation/decide.ts';
import { formName, formPhrase } from '../negotiation/form-names.ts';
import { generationOf, generations } from '../negotiation/generations.ts';
import { phraseOf } from '../negotiation/reasons.ts';
import { failureFrom } from '../routes/answer.ts';
import { platformFor } from '../routes/client-hints.ts';
import type { ClientRequest } from '../routes/client-request.ts';
import { type ManifestOutcome, outcomeFor } from '../routes/manifest-outcome.ts';
import { type Io, printJson } from './io.ts';
import { printTable } from './print-table.ts';
import { type ClientHeaders, headersOf, type OpenImage, openImage } from './registry.ts';
import { exitCodes, UsageError } from './usage.ts';

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

interface Step {
  readonly manifest: Digest;
  readonly form: string;
  readonly decision: Decision;
}

/** `regshift explain`. What is told is what the proxy's own code said on its way to the answer. */
export async function explain(text: string, options: Options, io: Io): Promise<number> {
  const headers = headersFor(options);
  const image = await openImage(text, options, io);
  const decided: (readonly [Digest, Decision])[] = [];
  const request = image.request(headers, {
    decided: (manifest, decision) => decided.push([manifest, decision]),
  });
  const answer = await answerTo(image, request);
  const steps: Step[] = [];
  for (const [manifest, decision] of decided) {
    const { mediaType } = await image.route.content.form(image.name, manifest, request.caller);
    steps.push({ manifest, form: mediaType, decision });
  }
  const told = { headers, request, platform: platformFor(image.route, request), steps, answer };
  if (options.json) printJson(io, asJson(text, told));
  else print(told, io);
  return exitCodes.good;
}

function headersFor({ accept, userAgent, for: client, platform }: Options): ClientHeaders {
  if (client === undefined) return { accept: accept ?? [], userAgent };
  if (accept !== undefined || userAgent !== undefined) {
    throw new UsageError('--for stands in place of --accept and --user-agent: give either it or them.');
  }
  const generation = generationOf(client);
  if (generation) return headersOf(generation, platform);
  throw new UsageError(
    `${client} is not known here; there are ${generations.map(({ id }) => id).join(', ')}.`,
  );
}

type Answer = { readonly outcome: ManifestOutcome } | { readonly failure: Failure };

async function answerTo({ route, name, reference }: OpenImage, request: ClientRequest): Promise<Answer> {
  try {
    if (!request.client.profile.apiV2)
      throw new Failure('MANIFEST_UNKNOWN', 'It is told at once to go on to registry API v1.');
    return { outcome: await outcomeFor(route, request, name, reference) };
  } catch (error) {
    const failure = failureFrom(error);
    // What is the matter with this client is an answer; what is the matter with the registry is not.
    if (failure.code === 'UNSUPPORTED' || !request.client.profile.apiV2) return { failure };
    throw error;
  }
}

interface Told {
  readonly headers: ClientHeaders;
  readonly request: ClientRequest;
  readonly platform: Platform;
  readonly steps: readonly Step[];
  readonly answer: Answer;
}

function print({ headers, request, platform, steps, answer }: Told, io: Io): void {
  const { client, reads } = request;
  const { named, anything } = readAccept(headers.accept.join(', '));
  const said = client.platform ? 'from its User-Agent' : 'it does not say: REGSHIFT_PLATFORM';
  const rows = [
    ['Accept', headers.accept.join(', ') || 'not sent, as by Docker up to 1.9'],
    [
      '  names',
      [...named].map(formName).join(', ') ||
        (anything ? 'no manifest type, and a wildcard' : 'no manifest type'),
    ],
    ['User-Agent', headers.userAgent ?? 'not sent'],
    ['  is', client.name],
    ...client.rows.map((row) => ['  known', rowText(row)]),
    ['reads', reads.anything ? 'whatever is stored' : readsText(reads.types)],
    ['  zstd layers', reads.zstd || reads.anything ? 'yes' : 'no'],
    ['platform', `${formatPlatform(platform)} (${said})`],
    ...steps.flatMap(stepRows),
    ...answerRows(answer),
  ];
  printTable(io, rows);
}

function readsText(types: ReadonlySet<string>): string {
  return [...new Set([...types].map(formName))].join(', ') || 'nothing that is known here';
}

function rowText({ program, from, before, lacks, evidence }: ProfileRow): string {
  const range = [from && `from ${from.join('.')}`, before && `before ${before.join('.')}`]
    .filter(Boolean)
    .join(' ');
  return `${program} ${range} lacks ${lacks}: ${evidence}`;
}

function stepRows({ manifest, form, decision }: Step): string[][] {
  return [
    ['stored', `${formPhrase(form)}, ${manifest}`],
    ['  decision', decisionText(decision)],
    ['  because', phraseOf(decision.because)],
  ];
}

function decisionText(decision: Decision): string {
  switch (decision.kind) {
    case 'stored':
      return 'the stored bytes, untouched';
    case 'image':
      return `converted to ${formPhrase(typeToMake(decision))}`;
    case 'index':
      return `converted, with the images in it, to ${formPhrase(typeToMake(decision))}`;
    case 'choose':
      return 'the image of the platform, by its own form';
    case 'refuse':
      return 'refused';
  }
}

function answerRows(answer: Answer): string[][] {
  if ('failure' in answer && isUnread(answer.failure)) {
    return [['answer', `${answer.failure.message} With --read-layers it is read now.`]];
  }
  if ('failure' in answer) return [['answer', `404 ${answer.failure.code}: ${answer.failure.message}`]];
  const { mediaType, digest, body, losses } = answer.outcome;
  return [
    ['answer', `${formPhrase(mediaType)}, ${body.length} bytes`],
    ['  type', mediaType],
    ['  digest', digest],
    ...losses.map(({ path, reason }) => ['  lost', `${path} ${reason}`]),
  ];
}

function asJson(image: string, { headers, request, platform, steps, answer }: Told) {
  const { client, reads } = request;
  return {
    image,
    accept: headers.accept,
    userAgent: headers.userAgent,
    client: { name: client.name, rows: client.rows },
    reads: { types: [...reads.types], anything: reads.anything, zstd: reads.zstd },
    platform: formatPlatform(platform),
    steps: steps.map(({ manifest, form, decision }) => ({ manifest, mediaType: form, ...decision })),
    answer: 'failure' in answer ? failureJson(answer.failure) : outcomeJson(answer.outcome),
  };
}

function failureJson(failure: Failure) {
  const { code, message } = failure;
  return isUnread(failure) ? { unread: true, message } : { status: 404, code, message };
}

function outcomeJson({ mediaType, digest, source, body, losses }: ManifestOutcome) {
  return { status: 200, mediaType, digest, source, size: body.length, losses };
}
