import type { Digest } from '../../../converters/digest.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { Failure } from '../../errors.ts';
import { isUnread } from '../../layers/layer-service.ts';
import { readAccept } from '../../negotiation/accept.ts';
import type { ProfileRow } from '../../negotiation/client-profile.ts';
import { formName, formPhrase } from '../../negotiation/format-names.ts';
import { type Decision, typeToMake } from '../../negotiation/negotiate.ts';
import { phraseOf } from '../../negotiation/reasons.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { ManifestOutcome } from '../../registry/manifests/manifests.ts';
import type { ClientHeaders } from '../images/open-image.ts';
import type { Io } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';

/** One decision on the way to an answer. */
export interface Step {
  readonly manifest: Digest;
  readonly mediaType: string;
  readonly decision: Decision;
}

/** What the client is sent, or told instead; `conversion` as the header of that name. */
export type Answer =
  | { readonly outcome: ManifestOutcome; readonly conversion: string | undefined }
  | { readonly failure: Failure };

export interface Explanation {
  readonly headers: ClientHeaders;
  readonly request: ClientRequest;
  readonly platform: Platform;
  readonly steps: readonly Step[];
  readonly answer: Answer;
}

/** For people: one row for each thing that counted. */
export function printExplanation({ headers, request, platform, steps, answer }: Explanation, io: Io): void {
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

function stepRows({ manifest, mediaType, decision }: Step): string[][] {
  return [
    ['stored', `${formPhrase(mediaType)}, ${manifest}`],
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
    ...(answer.conversion ? [['  header', `Regshift-Conversion: ${answer.conversion}`]] : []),
    ...losses.map(({ path, reason }) => ['  lost', `${path} ${reason}`]),
  ];
}

/** The same for machines. */
export function explanationJson(image: string, { headers, request, platform, steps, answer }: Explanation) {
  const { client, reads } = request;
  return {
    image,
    accept: headers.accept,
    userAgent: headers.userAgent,
    client: { name: client.name, rows: client.rows },
    reads: { types: [...reads.types], anything: reads.anything, zstd: reads.zstd },
    platform: formatPlatform(platform),
    steps: steps.map(({ manifest, mediaType, decision }) => ({ manifest, mediaType, ...decision })),
    answer: 'failure' in answer ? failureJson(answer.failure) : outcomeJson(answer),
  };
}

function failureJson(failure: Failure) {
  const { code, message } = failure;
  return isUnread(failure) ? { unread: true, message } : { status: 404, code, message };
}

function outcomeJson({ outcome, conversion }: Exclude<Answer, { failure: Failure }>) {
  const { mediaType, digest, source, body, losses } = outcome;
  return { status: 200, mediaType, digest, source, size: body.length, conversion, losses };
}
