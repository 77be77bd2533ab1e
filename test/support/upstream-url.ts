/** REGSHIFT_UPSTREAM of tests that replace `fetch` and have no real address. */
export const upstreamUrl = 'http://registry.test';
