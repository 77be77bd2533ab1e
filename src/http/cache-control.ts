import type { ClientRequest } from '../registry/client-request.ts';

/**
 * The `Cache-Control` of content that has a digest. Caches on the way must not change it (`no-transform`):
 * Cloudflare's edge and company proxies compress or decompress content that looks like text. Shared caches must not
 * keep content that upstream gave to a login (`isPublic` false).
 * @param stated upstream's own `Cache-Control` for the content. It stays as far as it does not contradict.
 */
export function cacheControl(isPublic: boolean, stated: string | null = null): string {
  const others = directives(stated).filter(
    (each) => !ours.has(each.toLowerCase()) && (isPublic || !shared(each)),
  );
  const told = directives(stated).some((each) => each.toLowerCase() === 'private');
  return [...(isPublic && !told ? [] : ['private']), 'no-transform', ...others].join(', ');
}

/**
 * The `Cache-Control` of what upstream answers to the credential of one request: a list, the ping, an upload.
 * @param stated as in `cacheControl`.
 */
export function cacheControlFor({ context }: Pick<ClientRequest, 'context'>, stated?: string | null): string {
  return cacheControl(context.credential.kind === 'none', stated);
}

const ours: ReadonlySet<string> = new Set(['private', 'no-transform']);

/** Directives for shared caches (RFC 9111, section 5.2.2). */
function shared(directive: string): boolean {
  return /^(?:public|s-maxage|proxy-revalidate)\b/i.test(directive);
}

function directives(value: string | null): string[] {
  return (value ?? '').split(',').flatMap((each) => each.trim() || []);
}
