/**
 * A link of a `Link` header (RFC 8288, section 3): its target, and its parameters. No "<" is in a URL (RFC 3986). An open
 * quote takes all text up to the end: a search for its end from each link of a long header would take seconds.
 */
const link = /<([^<>]*)>((?:[^,"]|"(?:[^"\\]|\\.?)*(?:"|$))*)/g;

/** A parameter of a link; its value is a token or a quoted text. */
const parameter = /;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.?)*)(?:"|$)|([^\s;,"]*)))?/g;

/** The query of upstream's link to the next page; the host that it names is ignored. */
export function nextQuery(header: string | null): string | undefined {
  for (const [, target = '', parameters = ''] of (header ?? '').matchAll(link)) {
    // "Occurrences after the first MUST be ignored" (RFC 8288, section 3.3).
    const rel = [...parameters.matchAll(parameter)].find(([, name]) => name?.toLowerCase() === 'rel');
    const relations = (rel?.[2] ?? rel?.[3] ?? '').toLowerCase().split(/\s+/);
    const at = target.indexOf('?');
    if (relations.includes('next')) return at === -1 ? undefined : target.slice(at);
  }
  return undefined;
}
