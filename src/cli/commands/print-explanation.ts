import type { Digest } from '../../../converters/digest.ts';
import { lossSentence } from '../../../converters/loss-text.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { sizeText } from '../../byte-text.ts';
import type { RegistryError } from '../../errors.ts';
import { isNotReadYet } from '../../layers/unread.ts';
import { readAccept } from '../../negotiation/accept.ts';
import { type ClientCapabilities, lacksZstd } from '../../negotiation/capabilities.ts';
import { type AppliedRow, lackPhrases } from '../../negotiation/client-rows.ts';
import { formName, formPhrase } from '../../negotiation/format-names.ts';
import type { ClientHeaders } from '../../negotiation/known-clients.ts';
import { keepsImages, mediaTypeOf, type Selection } from '../../negotiation/negotiate.ts';
import { phraseOf } from '../../negotiation/reasons.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { ClientView } from '../../registry/inspection/client-views.ts';
import type { ManifestResult } from '../../registry/manifests/manifests.ts';
import type { Io } from '../terminal/io.ts';
import { printTable } from '../terminal/print-table.ts';

/** One step of negotiation: a stored manifest and the selection for it. */
export interface ExplanationStep {
  readonly manifest: Digest;
  readonly mediaType: string;
  readonly selection: Selection;
}

/** The response to the client, or its error. `conversion` is the value of `Regshift-Conversion`. */
export type Answer =
  | { readonly result: ManifestResult; readonly conversion: string | undefined }
  | { readonly error: RegistryError };

export interface Explanation {
  readonly headers: ClientHeaders;
  readonly request: ClientRequest;
  readonly platform: Platform;
  readonly steps: readonly ExplanationStep[];
  readonly answer: Answer;
  /** The result by registry API v1, for a client that continues with it; undefined for others. */
  readonly byApiV1: ClientView | undefined;
}

/** Prints an explanation as a table, with a row for each fact that decided. */
export function printExplanation(explanation: Explanation, io: Io): void {
  const { headers, request, platform, steps, answer, byApiV1 } = explanation;
  const { client, capabilities } = request;
  const rule = request.applied?.rule;
  const { named, wildcard } = readAccept(headers.accept.join(', '));
  const origin = rule?.platform
    ? 'from the rule'
    : client.platform
      ? 'from its User-Agent'
      : 'from REGSHIFT_PLATFORM';
  const rows = [
    ['Accept', headers.accept.join(', ') || 'not sent, like Docker up to 1.9'],
    [
      '  names',
      [...named.keys()].map(formName).join(', ') ||
        (wildcard ? 'no manifest type, but a wildcard' : 'no manifest type'),
    ],
    ['User-Agent', headers.userAgent ?? 'not sent'],
    ['  is', client.name],
    ...client.rows.map((row) => ['  known', rowText(row)]),
    ...(rule ? [['  rule', `${rule.name} of REGSHIFT_CLIENTS applies`]] : []),
    ['reads', capabilities.wildcard ? 'every form' : readsText(capabilities.types)],
    ['  zstd layers', zstdText(capabilities)],
    ['platform', `${formatPlatform(platform)} (${origin})`],
    ...steps.flatMap(stepRows),
    ...answerRows(answer),
    ...(byApiV1 ? v1Rows(byApiV1) : []),
  ];
  printTable(io, rows);
}

function readsText(types: ReadonlyMap<string, number>): string {
  return [...new Set([...types.keys()].map(formName))].join(', ') || 'no known form';
}

function zstdText(capabilities: ClientCapabilities): string {
  if (capabilities.limits?.noZstd) return 'no (REGSHIFT_LAYERS, or its rule)';
  return lacksZstd(capabilities) ? 'no' : 'yes';
}

function rowText({ program, from, before, lacks, evidence }: AppliedRow): string {
  const range = [from && `from ${from.join('.')}`, before && `before ${before.join('.')}`];
  const client = [program, ...range].filter(Boolean).join(' ');
  return `${client} ${lackPhrases[lacks]}: ${evidence}`;
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
      return 'the stored bytes, unchanged';
    case 'image':
      return `converted to ${formPhrase(mediaTypeOf(selection))}`;
    case 'index':
      if (keepsImages(selection)) return 'the stored index without its attestations';
      return `converted with its images to ${formPhrase(mediaTypeOf(selection))}`;
    case 'choose':
      return 'continue with the image of the platform';
    case 'refuse':
      return 'refused';
  }
}

/** The message of an error of `isNotReadYet`, with the option that reads the layer. */
export function unreadText({ message }: Error): string {
  return `${message} Use --read-layers to read it now.`;
}

/** Rows for the response. Errors here are those of the client and its image, which the proxy answers with 404. */
function answerRows(answer: Answer): string[][] {
  if ('error' in answer && isNotReadYet(answer.error)) {
    return [['response', unreadText(answer.error)]];
  }
  if ('error' in answer) return [['response', `404 ${answer.error.code}: ${answer.error.message}`]];
  const { mediaType, digest, body, losses } = answer.result;
  return [
    ['response', `${formPhrase(mediaType)}, ${sizeText(body.length)}`],
    ['  type', mediaType],
    ['  digest', digest],
    ...(answer.conversion ? [['  header', `Regshift-Conversion: ${answer.conversion}`]] : []),
    ...losses.map((each) => ['  lost', lossSentence(each)]),
  ];
}

/** Rows for the pull by registry API v1, which such a client tries after its request by API v2. */
function v1Rows({ form, refused, unread, losses }: ClientView): string[][] {
  const images = form.replace(/^registry API v1(?:, )?/, '') || 'the image';
  const more = unread ? ', after the layers are read. Use --read-layers to read them now.' : '';
  const text =
    refused === undefined
      ? `the client pulls ${images} by registry API v1${more}`
      : `the client gets nothing by registry API v1: ${refused}`;
  return [['  then', text], ...losses.map((each) => ['  lost', lossSentence(each)])];
}

/** Returns an explanation as JSON. */
export function explanationJson(image: string, explanation: Explanation) {
  const { headers, request, platform, steps, answer, byApiV1 } = explanation;
  const { client, capabilities } = request;
  return {
    image,
    accept: headers.accept,
    userAgent: headers.userAgent,
    client: { name: client.name, rows: client.rows },
    reads: {
      types: [...capabilities.types.keys()],
      anything: capabilities.wildcard,
      zstd: capabilities.zstd,
    },
    ...(request.applied?.rule ? { rule: request.applied.rule.name } : {}),
    platform: formatPlatform(platform),
    steps: steps.map(({ manifest, mediaType, selection }) => ({ manifest, mediaType, ...selection })),
    answer: 'error' in answer ? errorJson(answer.error) : resultJson(answer),
    ...(byApiV1 ? { byApiV1 } : {}),
  };
}

function errorJson(error: RegistryError) {
  const { code, message } = error;
  return isNotReadYet(error) ? { unread: true, message } : { status: 404, code, message };
}

function resultJson({ result, conversion }: Exclude<Answer, { error: RegistryError }>) {
  const { mediaType, digest, source, body, losses } = result;
  return { status: 200, mediaType, digest, source, size: body.length, conversion, losses };
}
