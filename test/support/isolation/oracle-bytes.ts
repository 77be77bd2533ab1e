import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { readManifest } from '../../../converters/read.ts';
import type { RawResponse } from '../raw-http.ts';
import type { Answered, Ask } from './ask.ts';
import { longestWork } from './oracle-refusals.ts';
import type { World } from './world.ts';

/** The first headers of each representation: HEAD and GET of it must agree. */
export type Representations = Map<string, string>;

/** @returns a violation when bytes, length and digest do not agree. */
export function bytesComplaint(
  world: World,
  seen: Representations,
  { ask, answer, start, end }: Answered,
): string | undefined {
  if (typeof answer === 'string' || !['manifest', 'blob'].includes(ask.kind)) return undefined;
  const { status, body } = answer;
  if (status !== 200 && status !== 206) return undefined;
  const stated = answer.header('Docker-Content-Digest');
  const named = ask.reference?.startsWith('sha256:') ? ask.reference : undefined;
  if (named && stated !== undefined && stated !== named)
    return `asked for ${named}, the answer says ${stated}`;
  const length = answer.header('Content-Length');
  const isHead = ask.method === 'HEAD';
  if (!isHead && length !== undefined && Number(length) !== body.length)
    return `Content-Length is ${length}, and ${body.length} bytes came`;
  const different = status === 200 && differs(seen, ask, answer);
  if (different) return different;
  if (isHead) return undefined;
  // A blob passes through as it comes: the client finds out that a registry broke it.
  const { flaw, index } = ask.repository?.options ?? {};
  const before = world.stalls.extend(longestWork, start, end);
  const isBroken = flaw !== undefined || ask.upstream.flaps.explains(ask.user, index, start - before, end);
  if (ask.kind === 'blob' && isBroken) return undefined;
  if (status === 206) return partComplaint(world, ask, answer);
  const found = digestIn(answer);
  const wanted = named ?? stated;
  return wanted === undefined || found === wanted ? undefined : `the bytes are ${found}, and not ${wanted}`;
}

/** The digest of schema 1 is that of the bytes that its signature covers. */
function digestIn({ body, header }: RawResponse): string {
  const type = header('Content-Type');
  return type === mediaTypes.schema1Signed ? readManifest(body, type).source.digest : digestOf(body);
}

function partComplaint(
  world: World,
  { reference = '' }: Ask,
  { header, body }: RawResponse,
): string | undefined {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(header('Content-Range') ?? '') ?? [];
  const whole = world.bytesOf(reference);
  if (!whole) return undefined;
  const part = whole.subarray(Number(first), Number(first) + body.length);
  const isSame = Number(total) === whole.length && Buffer.from(part).equals(body);
  return isSame ? undefined : `the part from ${first} on is not that of ${reference}`;
}

function differs(
  seen: Representations,
  { kind, upstream, repository, path, headers }: Ask,
  answer: RawResponse,
) {
  const agent = headers.find(([name]) => name === 'User-Agent')?.[1] ?? '';
  const digest = answer.header('Docker-Content-Digest') ?? path;
  const key = [upstream.index, repository?.name, kind, digest, kind === 'manifest' ? agent : ''].join(' ');
  const said = `${answer.header('Content-Type')} ${answer.header('Content-Length')}`;
  const before = seen.get(key) ?? said;
  seen.set(key, before);
  return before === said ? undefined : `the headers say ${said}, and said ${before} before`;
}
