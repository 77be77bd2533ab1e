import type { Digest } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { sampleByteRange } from '../../../src/sample-registry/responses.ts';
import { jsonAnswer } from '../faults/hostile-upstream.ts';
import { marker } from './markers.ts';
import type { Repository } from './repository.ts';

/** A response of a registry, before a fault changes it. */
export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A refusal with the project's and the user's names, which only the registry and the requester may know. */
export function refuse(
  status: number,
  code: string,
  repository: Repository,
  user: number | undefined,
  headers: Record<string, string> = {},
): RegistryAnswer {
  const who = user === undefined ? 'anonymous' : marker('user', user);
  const message = `${code === 'DENIED' ? 'quota or right of' : 'no access to'} ${repository.project} for ${who}`;
  return jsonAnswer(status, { errors: [{ code, message }] }, headers);
}

export function manifestAnswer(repository: Repository, reference: string): RegistryAnswer | undefined {
  const { tags, images } = repository.now;
  const tagged = tags.get(reference);
  const held = tagged ? [tagged] : [...images];
  const digest = tagged?.root ?? reference;
  for (const { content } of held) {
    const found = [...content.manifests.values()].find((each) => each.digest === digest);
    if (found) {
      const headers = { 'content-type': found.mediaType, 'docker-content-digest': found.digest };
      return { status: 200, headers, body: found.bytes };
    }
  }
  return undefined;
}

export function blobAnswer(
  repository: Repository,
  digest: string,
  asked: Readonly<Record<string, string | string[] | undefined>>,
): RegistryAnswer | undefined {
  const holder = [...repository.now.images].find(({ content }) => content.blobs.has(digest as Digest));
  const bytes = holder?.content.blobs.get(digest as Digest);
  if (bytes === undefined) return undefined;
  const etag = `"${digest}"`;
  const headers = {
    'content-type': mediaTypes.octetStream,
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
  };
  if (asked['if-none-match'] === etag) return { status: 304, headers, body: new Uint8Array() };
  const range = sampleByteRange(typeof asked.range === 'string' ? asked.range : null, bytes.length);
  if (range === 'whole') return { status: 200, headers, body: bytes };
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { 'content-range': `bytes */${bytes.length}` }, body: new Uint8Array() };
  }
  const { first, last } = range;
  const part = { ...headers, 'content-range': `bytes ${first}-${last}/${bytes.length}` };
  return { status: 206, headers: part, body: bytes.subarray(first, last + 1) };
}

/** An artifact that refers to any digest of the repository, and names its owner. */
export function referrersAnswer(repository: Repository): RegistryAnswer {
  const annotations = { project: repository.project };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations };
  return jsonAnswer(200, index, { 'content-type': mediaTypes.ociIndex });
}
