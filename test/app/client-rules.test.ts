import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type RequestHeaders, type TestApp, testApp } from '../support/app.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema2, dockerList, ociManifest, ociIndex, schema1Signed } = mediaTypes;
const all = [schema2, dockerList, ociManifest, ociIndex, schema1Signed].join(', ');
const python: RequestHeaders = { 'User-Agent': 'python-requests/2.31', Accept: '*/*' };
const latest = (sample: string) => `/v2/${sample}/manifests/latest`;

interface Rule {
  readonly match: { readonly userAgent?: string; readonly network?: string | readonly string[] };
  readonly lacks?: readonly string[];
  readonly platform?: string;
  readonly format?: string;
}

function settings(...rules: readonly Rule[]): Record<string, string> {
  return { REGSHIFT_CLIENTS: JSON.stringify(rules) };
}

const pythonLacks = (...lacks: readonly string[]) =>
  testApp(settings({ match: { userAgent: 'python-requests/*' }, lacks }));

async function given(app: TestApp, sample: string, headers: RequestHeaders, address?: string) {
  const more = address === undefined ? {} : { clientAddress: address };
  const response = await app.send('GET', latest(sample), headers, more);
  return response.status === 200 ? response.header('Content-Type') : response.error().code;
}

describe('a rule about a User-Agent', () => {
  it.each([
    ['oci', 'sample/oci', schema2],
    ['oci', 'sample/index', dockerList],
    ['index', 'sample/index', ociManifest],
    ['index', 'sample/oci', ociManifest],
    ['schema1', 'sample/schema1', schema2],
    ['zstd', 'sample/index', ociIndex],
  ])('lacks %s: %s becomes %s, although Accept has a wildcard', async (lack, sample, type) => {
    expect(await given(pythonLacks(lack), sample, python)).toBe(type);
    expect(await given(pythonLacks(lack), sample, { ...python, Accept: all })).toBe(type);
  });

  it('zstd: layers are decompressed', async () => {
    const stored = await testApp().get(latest('sample/oci-zstd'), python);
    expect(stored.text()).toContain('+zstd');
    const response = await pythonLacks('zstd').get(latest('sample/oci-zstd'), python);
    expect([response.status, response.text().includes('+zstd')]).toEqual([200, false]);
  });

  it('does not apply to another program', async () => {
    const curl = { 'User-Agent': 'curl/8.5.0', Accept: '*/*' };
    expect(await given(pythonLacks('oci'), 'sample/oci', curl)).toBe(ociManifest);
    expect(await given(pythonLacks('oci'), 'sample/oci', { Accept: '*/*' })).toBe(ociManifest);
  });

  it('the first rule that matches applies, and no other', async () => {
    const app = testApp(
      settings(
        { match: { userAgent: 'app/2.*' }, lacks: ['schema1'] },
        { match: { userAgent: 'app/*' }, lacks: ['oci'] },
      ),
    );
    expect(await given(app, 'sample/oci', { 'User-Agent': 'app/2.1', Accept: '*/*' })).toBe(ociManifest);
    expect(await given(app, 'sample/oci', { 'User-Agent': 'app/1.9', Accept: '*/*' })).toBe(schema2);
  });

  it('has a platform, which wins over that of the User-Agent', async () => {
    const app = testApp(
      settings({ match: { userAgent: '*robot*' }, platform: 'linux/arm64', lacks: ['index'] }),
    );
    const headers = { 'User-Agent': 'docker/1.13.1 robot os/linux arch/amd64', Accept: all };
    const response = await app.get(latest('sample/index'), headers);
    expect(response.header('Regshift-Conversion')).toContain('platform=linux/arm64');
  });

  it('has a form', async () => {
    const app = testApp(settings({ match: { userAgent: 'old/*' }, format: 'schema1' }));
    expect(await given(app, 'sample/oci', { 'User-Agent': 'old/1', Accept: all })).toBe(schema1Signed);
    expect(await given(app, 'sample/oci', { 'User-Agent': 'new/1', Accept: all })).toBe(ociManifest);
  });

  it('is named in the log', async () => {
    const app = pythonLacks('oci');
    await app.get(latest('sample/oci'), python);
    await app.get(latest('sample/oci'), { 'User-Agent': 'curl/8.5.0', Accept: '*/*' });
    const rules = app.logged.filter(({ message }) => message === 'request').map(({ facts }) => facts?.rule);
    expect(rules).toEqual(['clients[0]', undefined]);
  });

  it('a digest that it made is found by another replica', async () => {
    const first = await pythonLacks('oci', 'zstd').get(latest('sample/oci'), python);
    const digest = first.header('Docker-Content-Digest');
    const upstream = scriptedUpstream();
    const other = testApp(
      settings({ match: { userAgent: 'python-requests/*' }, lacks: ['oci', 'zstd'] }),
      upstream.fetch,
    );
    const response = await other.get(`/v2/sample/oci/manifests/${digest}`, python);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
    expect(response.body).toEqual(first.body);
  });

  it('a route has rules of its own, in place of those of the file', async () => {
    const file = {
      upstream: 'http://registry.test',
      clients: [{ match: { userAgent: 'app/*' }, lacks: ['oci'] }],
      routes: [
        {
          match: { path: 'strict/' },
          clients: [{ match: { userAgent: 'app/*' }, format: 'schema1' }],
          upstream: 'http://registry.test',
        },
        { upstream: 'http://registry.test' },
      ],
    };
    const app = testApp({ REGSHIFT_CONFIG: JSON.stringify(file) }, scriptedUpstream().fetch);
    const headers = { 'User-Agent': 'app/1', Accept: '*/*' };
    expect(await given(app, 'strict/sample/oci', headers)).toBe(schema1Signed);
    expect(await given(app, 'sample/oci', headers)).toBe(schema2);
  });
});

describe('a rule about a network', () => {
  const rule: Rule = { match: { network: ['10.1.0.0/16', '2001:db8:7::/48'] }, lacks: ['oci'] };

  it.each([
    ['10.1.2.3', schema2],
    ['::ffff:10.1.2.3', schema2],
    ['10.2.0.1', ociManifest],
    ['2001:db8:7:1::9', schema2],
    ['2001:db8:8:1::9', ociManifest],
    [undefined, ociManifest],
  ])('%s gets %s', async (address, type) => {
    expect(await given(testApp(settings(rule)), 'sample/oci', python, address)).toBe(type);
  });

  it('two networks never share a remembered response, in either order', async () => {
    const app = testApp({ ...settings(rule), REGSHIFT_TAG_TTL: '60' });
    for (const [address, type] of [
      ['10.1.0.9', schema2],
      ['10.2.0.9', ociManifest],
      ['10.1.0.9', schema2],
      ['10.2.0.9', ociManifest],
      ['10.1.0.10', schema2],
    ] as const) {
      expect(await given(app, 'sample/oci', python, address)).toBe(type);
    }
  });

  it('the address behind a trusted proxy counts, and that of a stranger does not', async () => {
    const app = testApp({ ...settings(rule), REGSHIFT_TRUSTED_PROXIES: '192.0.2.1' });
    const from = (address: string) => ({ ...python, 'X-Forwarded-For': address });
    expect(await given(app, 'sample/oci', from('10.1.0.9'), '192.0.2.1')).toBe(schema2);
    expect(await given(app, 'sample/oci', from('10.2.0.9'), '192.0.2.1')).toBe(ociManifest);
    expect(await given(app, 'sample/oci', from('10.1.0.9'), '198.51.100.7')).toBe(ociManifest);
  });

  it('shared caches keep no response that the network decided, inside or outside of it', async () => {
    const app = testApp(settings({ ...rule, match: { ...rule.match, userAgent: 'python*' } }));
    const control = async (headers: RequestHeaders, clientAddress: string) =>
      (await app.send('GET', latest('sample/oci'), headers, { clientAddress })).header('Cache-Control');
    expect(await control(python, '10.1.0.9')).toBe('private, no-transform');
    expect(await control(python, '10.2.0.9')).toBe('private, no-transform');
    const curl = { 'User-Agent': 'curl/8.5.0', Accept: '*/*' };
    expect(await control(curl, '10.1.0.9')).toBe('no-transform');
  });
});

describe('the setting', () => {
  const problemsOf = (value: string) => {
    const read = readSettings({ REGSHIFT_CLIENTS: value });
    return 'problems' in read ? read.problems.map(({ message }) => message).join('; ') : '';
  };

  it('takes one rule', () => {
    expect(problemsOf(JSON.stringify({ match: { userAgent: 'a*' }, lacks: ['oci'] }))).toBe('');
  });

  it.each([
    ['no JSON', '{', /as JSON, or a list of such$/],
    ['an unknown capability', JSON.stringify({ match: {}, lacks: ['gzip'] }), /zstd, oci/],
    ['a misspelt key', JSON.stringify({ match: { agent: 'x' }, lacks: ['oci'] }), /match/],
    [
      'a wrong network',
      JSON.stringify({ match: { network: '10.0.0.0/99' }, lacks: ['oci'] }),
      /10\.1\.0\.0\/16/,
    ],
    ['a small IPv6 network', JSON.stringify({ match: { network: '2001:db8::1' }, lacks: ['oci'] }), /\/64/],
    ['a wrong platform', JSON.stringify({ match: {}, platform: 'x' }), /linux\/arm\/v7/],
    ['no effect', JSON.stringify({ match: {} }), /needs lacks, platform or format/],
  ])('%s is a problem', (_, value, message) => {
    expect(problemsOf(value)).toMatch(message);
  });

  it.each<[string, Rule['match'], Rule['match'], boolean]>([
    ['the same pattern', { userAgent: 'a/*' }, { userAgent: 'a/*' }, true],
    ['a narrower pattern', { userAgent: 'a/*' }, { userAgent: 'a/1.*' }, true],
    ['a wider pattern', { userAgent: 'a/1.*' }, { userAgent: 'a/*' }, false],
    ['all', {}, { userAgent: 'a' }, true],
    ['a network inside', { network: '10.0.0.0/8' }, { network: '10.1.0.0/16' }, true],
    ['a network outside', { network: '10.1.0.0/16' }, { network: '10.0.0.0/8' }, false],
    [
      'a network with a pattern',
      { network: '10.0.0.0/8', userAgent: 'a' },
      { network: '10.1.0.0/16' },
      false,
    ],
    ['two that differ', { userAgent: 'a' }, { userAgent: 'b' }, false],
  ])('a rule after %s: unreachable or not', (_, first, second, isUnreachable) => {
    const text = problemsOf(
      JSON.stringify([
        { match: first, lacks: ['oci'] },
        { match: second, lacks: ['zstd'] },
      ]),
    );
    expect(text.includes('no request reaches')).toBe(isUnreachable);
  });
});
