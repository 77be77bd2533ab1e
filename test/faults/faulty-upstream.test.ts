import { describe, expect, it } from 'vitest';
import { quickFaults } from '../support/faults/faults.ts';
import { goodLogin, startHostileUpstream } from '../support/faults/hostile-upstream.ts';
import { ask, outcomeOf, type TargetName, targets } from '../support/faults/targets.ts';
import { startProxy } from '../support/proxy.ts';

/** The outcome for the client, by the request to upstream that fails; `else` for all others. */
type Outcomes = Partial<Record<TargetName, string>> & { readonly else: string };

const tag = 'the HEAD of a manifest';
const broken: Outcomes = { else: '502 UNKNOWN' };
/** The body of a HEAD and a ping is not read. Blobs are passed on unchecked: the client verifies them. */
const brokenBody: Outcomes = {
  ...broken,
  [tag]: '200',
  'a ping': '200',
  'a blob': '200 with another digest',
};
const wrongContent: Outcomes = {
  ...brokenBody,
  'a manifest': '502 MANIFEST_INVALID',
  'a config': '502 MANIFEST_INVALID',
  'a layer to be read': '502 MANIFEST_INVALID',
};
/** The refusal of a HEAD alone is none: this upstream has answered none yet, and the GET is good. */
const heedless = { [tag]: '200' } as const;
/** The image exists, but its parts are missing. */
const unknown: Outcomes = {
  else: '404 NAME_UNKNOWN',
  ...heedless,
  'a manifest': '404 MANIFEST_UNKNOWN',
  'a blob': '404 BLOB_UNKNOWN',
  'a config': '404 UNSUPPORTED',
  'a layer to be read': '404 UNSUPPORTED',
  'a token': '502 UNKNOWN',
};

const outcomesOf: Readonly<Record<keyof typeof quickFaults, Outcomes>> = {
  'closes the connection unanswered': broken,
  'resets the connection': broken,
  'answers something that is not HTTP': broken,
  'answers half a head': broken,
  'answers headers of 64 KiB': broken,
  'answers with a control character in a header': broken,
  'answers two lengths': broken,
  'answers status 999': broken,
  'switches protocols': broken,
  'cuts a body of known length': { ...brokenBody, 'a blob': 'cut' },
  'cuts a body in chunks': { ...brokenBody, 'a blob': 'cut' },
  'says less than the length': wrongContent,
  'names the digest of something else': { else: '200', [tag]: '404 MANIFEST_UNKNOWN' },
  'names a digest that is none': { else: '200' },
  'sends wrong bytes': { ...wrongContent, 'a token': '200' },
  'sends nothing with 200': wrongContent,
  'sends HTML with 200': { ...wrongContent, 'a manifest': '502 UNKNOWN' },
  'says gzip and sends gzip': { ...brokenBody, 'a blob': '502 UNKNOWN' },
  'says gzip and sends none': { ...brokenBody, 'a blob': '502 UNKNOWN' },
  'sends 5 MiB': { ...wrongContent, 'a list of tags': '502 MANIFEST_INVALID' },
  'answers 204': { ...wrongContent, 'a blob': '502 UNKNOWN', 'a layer to be read': '502 UNKNOWN' },
  'answers 304 unasked': broken,
  // The bytes match their digest.
  'answers 206 unasked': { else: '200', 'a blob': '502 UNKNOWN', 'a token': '502 UNKNOWN' },
  'answers 401 without a challenge': { else: '401 UNAUTHORIZED', ...heedless },
  'answers 401 to every login': { else: '401 UNAUTHORIZED', ...heedless },
  'answers 403': { else: '403 DENIED', ...heedless, 'a token': '401 UNAUTHORIZED' },
  'answers 404 MANIFEST_UNKNOWN': unknown,
  'answers 404 NAME_UNKNOWN': {
    ...unknown,
    'a blob': '404 NAME_UNKNOWN',
    'a config': '404 NAME_UNKNOWN',
    'a layer to be read': '404 NAME_UNKNOWN',
  },
  'answers 404 BLOB_UNKNOWN': unknown,
  'answers 404 in HTML': unknown,
  'answers 405': { else: '405 UNSUPPORTED', ...heedless, 'a token': '502 UNKNOWN' },
  'answers 429': { else: '429 TOOMANYREQUESTS' },
  'answers 500': { else: '500 UNKNOWN', ...heedless, 'a token': '502 UNKNOWN' },
  'answers 502 in HTML': broken,
  'answers 503': { else: '503 UNKNOWN', 'a token': '502 UNKNOWN' },
  'redirects to itself': broken,
  'redirects nowhere': broken,
  'redirects to a file': broken,
  'redirects to a login': broken,
  'redirects to a closed port': broken,
};

const names = Object.keys(quickFaults) as (keyof typeof quickFaults)[];

describe.each(names)('an upstream that %s', (fault) => {
  it('causes an error for the client, and none after upstream has recovered', async () => {
    const outcomes: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [name, target] of Object.entries(targets)) {
      const upstream = await startHostileUpstream(target.wants);
      const proxy = await startProxy(upstream.url);
      upstream.misbehave(quickFaults[fault], target.isMeant);
      outcomes[name] = await outcomeOf(ask(target, proxy.port, goodLogin));
      upstream.recover();
      outcomes[`${name}, after it`] = await outcomeOf(ask(target, proxy.port, goodLogin));
      await Promise.all([proxy.stop(), upstream.stop()]);
      expected[name] = outcomesOf[fault][name as TargetName] ?? outcomesOf[fault].else;
      expected[`${name}, after it`] = '200';
    }
    expect(outcomes).toEqual(expected);
  });
});

describe('an unreachable upstream', () => {
  it.each([
    ['has no listener', 'http://127.0.0.1:1'],
    ['has no name in the DNS', 'http://registry.invalid'],
  ])('that %s is an error for all requests', async (_, url) => {
    const proxy = await startProxy(url);
    for (const [name, target] of Object.entries(targets)) {
      expect([name, await outcomeOf(ask(target, proxy.port, goodLogin))]).toEqual([name, '502 UNKNOWN']);
    }
    await proxy.stop();
  });
});

it('an error never contains the login, and a 429 has the Retry-After of upstream', async () => {
  const upstream = await startHostileUpstream();
  const proxy = await startProxy(upstream.url);
  const target = targets['a list of tags'];
  let limited = 0;
  for (const fault of names) {
    upstream.misbehave(quickFaults[fault], target.isMeant);
    const { status, body, header } = await ask(target, proxy.port, goodLogin);
    const said = new TextDecoder().decode(body);
    for (const secret of ['hunter-secret', goodLogin.slice(6), 'good-token'])
      expect(said, fault).not.toContain(secret);
    if (status !== 429) continue;
    expect(header('Retry-After')).toBe('17');
    limited += 1;
  }
  expect(limited).toBeGreaterThan(0);
  await Promise.all([proxy.stop(), upstream.stop()]);
});
