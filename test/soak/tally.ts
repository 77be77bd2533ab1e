import { gunzipSync } from 'node:zlib';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { readManifest } from '../../converters/read.ts';
import type { V1Response } from '../support/v1-session.ts';

const mostExamples = 50;

/** The results of a soak's requests. */
export class Tally {
  /** The number of requests and pushes by kind and result. */
  readonly outcomes: Record<string, number> = {};
  /** Responses that a client may not get, as sentences; the first ones. */
  readonly wrong: string[] = [];
  /** Refusals that tell their client no reason. */
  readonly silent: string[] = [];
  requests = 0;

  count(kind: string, outcome: string | number): void {
    const name = `${kind} ${outcome}`;
    this.requests += 1;
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
  }

  addWrong(story: string): void {
    if (this.wrong.length < mostExamples) this.wrong.push(story);
  }

  /** Checks that a refusal has a reason, and that the program did not fail. */
  checkRefusal(method: string, path: string, answer: V1Response): void {
    if (answer.status < 400) return;
    const text = new TextDecoder().decode(answer.body);
    const what = `${method} ${path.slice(0, 200)}: ${answer.status} ${text.slice(0, 300)}`;
    // The registry's own 500 has other words (src/http/errors.ts).
    if (text.includes('regshift could not answer this request')) this.addWrong(what);
    // The refusal of a HEAD has no body (RFC 9110, 9.3.2), and the reason of a 416 is its length (15.5.17).
    if (method === 'HEAD' || answer.header('Content-Range')) return;
    if (!hasReason(text) && this.silent.length < mostExamples) this.silent.push(what);
  }
}

/** Whether an error says why: in the form of the distribution spec, or in that of API v1. */
export function hasReason(body: string): boolean {
  try {
    const { errors, error } = JSON.parse(body) as { errors?: unknown; error?: unknown };
    const [first] = (Array.isArray(errors) ? errors : []) as { code?: unknown; message?: unknown }[];
    return isText(error) || (isText(first?.code) && isText(first?.message));
  } catch {
    return false;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

/** @returns the violation of a response whose bytes are not those of its digest, or of the digest that was requested. */
export function wrongBytes(method: string, path: string, answer: V1Response): string | undefined {
  if (method !== 'GET' || answer.status !== 200) return undefined;
  const [, kind, reference = ''] = /\/v2\/.+\/(manifests|blobs)\/([^/?]+)$/.exec(path) ?? [];
  if (kind === undefined) return undefined;
  const stated = answer.header('Docker-Content-Digest') ?? undefined;
  const wanted = reference.startsWith('sha256:') ? reference : stated;
  const found = digestIn(answer);
  return wanted === undefined || found === wanted
    ? undefined
    : `${path} has the bytes of ${found}, and not of ${wanted}`;
}

/** The digest of schema 1 is that of the bytes that its signature covers. */
function digestIn({ body, header }: V1Response): string {
  const type = header('Content-Type') ?? '';
  if (type === mediaTypes.schema1Signed) return readManifest(body, type).source.digest;
  // A registry may compress a blob on its way.
  return digestOf(header('Content-Encoding') === 'gzip' ? new Uint8Array(gunzipSync(body)) : body);
}
