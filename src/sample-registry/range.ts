/** First and last byte, both included. */
export interface SampleByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header against content of `total` bytes. What a server may ignore (RFC 9110, 14.2: another unit,
 * several ranges, a malformed one) is answered whole.
 */
export function sampleByteRange(
  header: string | null,
  total: number,
): SampleByteRange | 'whole' | 'unsatisfiable' {
  const found = header === null ? null : /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, from = '', to = ''] = found ?? [];
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const suffix = Math.min(Number(to), total);
    return suffix === 0 ? 'unsatisfiable' : { first: total - suffix, last: total - 1 };
  }
  const first = Number(from);
  const last = to === '' ? total - 1 : Math.min(Number(to), total - 1);
  if (to !== '' && Number(to) < first) return 'whole';
  return first >= total ? 'unsatisfiable' : { first, last };
}
