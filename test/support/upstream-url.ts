/** What REGSHIFT_UPSTREAM is where a test gives a `fetch` and no address. */
export const upstreamUrl = 'http://registry.test';
