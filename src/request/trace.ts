/**
 * The trace context of a request (W3C Trace Context, level 1). regshift records no spans, and therefore forwards both
 * headers unchanged (section 2.2: "pass through").
 */
export interface Trace {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
}

/**
 * Parses both headers.
 * @returns undefined without a valid `traceparent`, as `tracestate` is then void (section 3.2.2.3).
 */
export function traceOf(
  traceparent: string | null | undefined,
  tracestate: string | null | undefined,
): Trace | undefined {
  if (!traceparent || !isTraceparent(traceparent)) return undefined;
  return { traceparent, tracestate: tracestate && isTracestate(tracestate) ? tracestate : undefined };
}

/** The trace-id, for the log. */
export function traceId({ traceparent }: Trace): string {
  return traceparent.slice(3, 35);
}

/** Checks section 3.2.2: a later version may append fields, and version ff is invalid. */
function isTraceparent(text: string): boolean {
  const [, version, trace, parent, more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[\x21-\x7e]{0,200})?$/.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return false;
  return !/^0+$/.test(trace ?? '') && !/^0+$/.test(parent ?? '');
}

const member =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Checks section 3.3.1. */
function isTracestate(text: string): boolean {
  const members = text.split(',').map((each) => each.trim());
  const named = members.filter((each) => each !== '');
  return (
    text.length <= 512 && named.length > 0 && named.length <= 32 && named.every((each) => member.test(each))
  );
}
