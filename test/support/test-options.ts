/** The options of all tests. */
export const testOptions = {
  // The outbound proxies of the machine that runs the tests are not for the names and the addresses that tests invent. An
  // empty variable counts as not set.
  env: Object.fromEntries(
    ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY']
      .flatMap((name) => [name, name.toLowerCase()])
      .map((name) => [name, '']),
  ),
  // Characters of a value in the first line of a failure. The usual 40 leave a list's length alone, and a failure that
  // chance made does not come again.
  chaiConfig: { truncateThreshold: 2_000 },
};
