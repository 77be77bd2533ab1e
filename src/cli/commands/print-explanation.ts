import type { Digest } from '../../../converters/digest.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { RegistryError } from '../../errors.ts';
import { isNotReadYet } from '../../layers/layer-service.ts';
import { readAccept } from '../../negotiation/accept.ts';
import type { ProfileRow } from '../../negotiation/client-profile.ts';
import { formName, formPhrase } from '../../negotiation/format-names.ts';
import { mediaTypeOf, type Selection } from '../../negotiation/negotiate.ts';
import { phraseOf } from '../../negotiation/reasons.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { ManifestResult } from '../../registry/manifests/manifests.ts';
import type { ClientHeaders } from '../images/open-image.ts';
import type { Io } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';

/** One decision on the way to an answer. */
export interface ExplanationStep {
  readonly manifest: Digest;
  readonly mediaType: string;
  readonly selection: Selection;
}

/** What the client is sent, or told instead; `conversion` as the header of that name. */
export type Answer =
  | { readonly result: ManifestResult; readonly conversion: string | undefined }
  | { readonly error: RegistryError };

export interface Explanation {
  readonly headers: ClientHeaders;
  readonly request: ClientRequest;
  readonly platform: Platform;
  readonly steps: readonly ExplanationStep[];
  readonly answer: Answer;
}

/** For people: one row for each thing that counted. */
export function printExplanation({ headers, request, platform, steps, answer }: Explanation, io: Io): void {
  const { client, capabilities } = request;
  const { named, wildcard } = readAccept(headers.accept.join(', '));
  const said = client.platform ? 'from its User-Agent' : 'it does not say: REGSHIFT_PLATFORM';
  const rows = [
    ['Accept', headers.accept.join(', ') || 'not sent, as by Docker up to 1.9'],
    [
      '  names',
      [...named].map(formName).join(', ') ||
        (wildcard ? 'no manifest type, and a wildcard' : 'no manifest type'),
    ],
    ['User-Agent', headers.userAgent ?? 'not sent'],
    ['  is', client.name],
    ...client.rows.map((row) => ['  known', rowText(row)]),
    ['reads', capabilities.wildcard ? 'whatever is stored' : readsText(capabilities.types)],
    ['  zstd layers', capabilities.zstd || capabilities.wildcard ? 'yes' : 'no'],
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

function stepRows({ manifest, mediaType, selection }: ExplanationStep): string[][] {
  return [
    ['stored', `${formPhrase(mediaType)}, ${manifest}`],
    ['  decision', decisionText(selection)],
    ['  because', phraseOf(selection.because)],
  ];
}

function decisionText(selection: Selection): string {
  switch (selection.kind) {
    case 'stored':
      return 'the stored bytes, untouched';
    case 'image':
      return `converted to ${formPhrase(mediaTypeOf(selection))}`;
    case 'index':
      return `converted, with the images in it, to ${formPhrase(mediaTypeOf(selection))}`;
    case 'choose':
      return 'the image of the platform, by its own form';
    case 'refuse':
      return 'refused';
  }
}

function answerRows(answer: Answer): string[][] {
  if ('error' in answer && isNotReadYet(answer.error)) {
    return [['answer', `${answer.error.message} With --read-layers it is read now.`]];
  }
  if ('error' in answer) return [['answer', `404 ${answer.error.code}: ${answer.error.message}`]];
  const { mediaType, digest, body, losses } = answer.result;
  return [
    ['answer', `${formPhrase(mediaType)}, ${body.length} bytes`],
    ['  type', mediaType],
    ['  digest', digest],
    ...(answer.conversion ? [['  header', `Regshift-Conversion: ${answer.conversion}`]] : []),
    ...losses.map(({ path, reason }) => ['  lost', `${path} ${reason}`]),
  ];
}

/** The same for machines. */
export function explanationJson(image: string, { headers, request, platform, steps, answer }: Explanation) {
  const { client, capabilities } = request;
  return {
    image,
    accept: headers.accept,
    userAgent: headers.userAgent,
    client: { name: client.name, rows: client.rows },
    reads: { types: [...capabilities.types], anything: capabilities.wildcard, zstd: capabilities.zstd },
    platform: formatPlatform(platform),
    steps: steps.map(({ manifest, mediaType, selection }) => ({ manifest, mediaType, ...selection })),
    answer: 'error' in answer ? failureJson(answer.error) : outcomeJson(answer),
  };
}

function failureJson(error: RegistryError) {
  const { code, message } = error;
  return isNotReadYet(error) ? { unread: true, message } : { status: 404, code, message };
}

function outcomeJson({ result, conversion }: Exclude<Answer, { error: RegistryError }>) {
  const { mediaType, digest, source, body, losses } = result;
  return { status: 200, mediaType, digest, source, size: body.length, conversion, losses };
}
