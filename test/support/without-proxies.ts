/**
 * The environment of all tests: the outbound proxies of the machine that runs them are not for the names and the
 * addresses that tests invent. An empty variable counts as not set.
 */
export const withoutProxies = Object.fromEntries(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY']
    .flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, '']),
);
