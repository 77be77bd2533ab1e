import { contentLength } from '../body.ts';

/** A response with a blob, or with a part of a blob. */
export interface BlobPart {
  readonly body: ReadableStream<Uint8Array>;
  /** The offset of the first byte of `body`. */
  readonly from: number;
  /** Bytes of the whole blob, if the response has them. */
  readonly size: number | undefined;
  /** False for a partial response (206), whose end may be before the end of the blob. */
  readonly isWhole: boolean;
}

/**
 * Reads where the body of a response begins (RFC 9110, sections 14.4 and 15.3.7).
 * @returns undefined for a response without a body, and for a 206 without one readable `Content-Range`.
 */
export function partOf(response: Response): BlobPart | undefined {
  const { status, headers } = response;
  const body = response.body as ReadableStream<Uint8Array> | null;
  if (body === null) return undefined;
  if (status !== 206) {
    return { body, from: 0, size: contentLength(response), isWhole: true };
  }
  const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(headers.get('content-range') ?? '');
  if (!range) return undefined;
  const [, first, size] = range;
  return { body, from: Number(first), size: size === '*' ? undefined : Number(size), isWhole: false };
}

/** A response without readable headers of a part: its reader learns by the digest whether the bytes are the blob. */
export function wholeOf({ body }: Response): BlobPart {
  return { body: body ?? new Blob([]).stream(), from: 0, size: undefined, isWhole: true };
}

/** Bytes of the blob, by a 416 (RFC 9110, section 15.5.17). */
export function sizeOfUnsatisfied({ headers }: Response): number | undefined {
  const [, size] = /^bytes \*\/(\d{1,15})$/.exec(headers.get('content-range') ?? '') ?? [];
  return size === undefined ? undefined : Number(size);
}
