/**
 * What caches on the way may do with content that has a digest. None may change it (`no-transform`): Cloudflare's edge,
 * and proxies of companies, pack or unpack what they take for text. What upstream gave to a login (`isPublic` false)
 * must not be kept by a cache that serves others too.
 * @param stated what upstream says of the same content; it stays, as far as it does not contradict.
 */
export function cacheControl(isPublic: boolean, stated: string | null = null): string {
  const others = directives(stated).filter(
    (each) => !ours.has(each.toLowerCase()) && (isPublic || !shared(each)),
  );
  const told = directives(stated).some((each) => each.toLowerCase() === 'private');
  return [...(isPublic && !told ? [] : ['private']), 'no-transform', ...others].join(', ');
}

const ours: ReadonlySet<string> = new Set(['private', 'no-transform']);

/** What is said to caches that serve many (RFC 9111, section 5.2.2). */
function shared(directive: string): boolean {
  return /^(?:public|s-maxage|proxy-revalidate)\b/i.test(directive);
}

function directives(value: string | null): string[] {
  return (value ?? '').split(',').flatMap((each) => each.trim() || []);
}
