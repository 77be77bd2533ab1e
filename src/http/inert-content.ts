/** Types that a browser saves or shows as text. Documents of XML may have scripts, whatever their type begins with. */
const inertTypes = /^application\/(?:octet-stream|(?:[\w.-]+\+)?json|vnd\.(?!.*\bxml)[\w.+-]+)\s*(?:;|$)/i;

/**
 * The headers that keep a browser from running content of a registry as a page of the proxy's own origin, where it
 * would have the logins that the browser remembers (CSP level 3, `sandbox`; Fetch, "X-Content-Type-Options").
 * @param contentType the Content-Type of the content; null for none. @returns none for types that no browser runs.
 */
export function inertHeaders(contentType: string | null): Readonly<Record<string, string>> {
  return inertTypes.test(contentType ?? '') ? {} : sandboxed;
}

const sandboxed = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
};
