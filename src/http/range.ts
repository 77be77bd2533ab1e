/** Offsets of bytes, both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a `Range` header of one range (RFC 9110, section 14.2). Any other value is ignored, as the RFC allows, and
 * the whole is sent. An end beyond the last byte is clamped, as the RFC demands.
 * @returns `undefined` for the whole, `unsatisfiable` for a start beyond the end.
 */
export function byteRange(header: string | null, length: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec((header ?? '').trim());
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return undefined;
    const suffix = Number(last);
    return suffix === 0 || length === 0
      ? 'unsatisfiable'
      : { start: Math.max(0, length - suffix), end: length - 1 };
  }
  const start = Number(first);
  const end = last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (start >= length) return 'unsatisfiable';
  return last !== '' && Number(last) < start ? undefined : { start, end };
}

/** The headers that name one state of a content, as in its response; null for a content without them. */
export interface Validators {
  /** With its quotes. */
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** The `Range` of a request, unless `If-Range` names another content (RFC 9110, section 13.1.5). */
export function conditionalRange(
  { headers }: { readonly headers: Headers },
  { etag, lastModified }: Validators,
): string | null {
  const condition = headers.get('if-range');
  const strong = etag?.startsWith('W/') ? null : etag;
  const isSame = condition === null || condition === lastModified || condition === strong;
  return isSame ? headers.get('range') : null;
}
