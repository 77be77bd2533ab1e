import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const alice = { Authorization: 'Basic YWxpY2U6c2VjcmV0' };
const blob = `/v2/sample/oci/blobs/sha256:${'0'.repeat(64)}`;
const manifest = '/v2/sample/oci/manifests/latest';
const accept = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
const elsewhere = ({ origin }: URL) => origin !== upstreamUrl;

const redirecting =
  (part: string, host: string): Script =>
  (_, url) => {
    if (elsewhere(url)) return new Response('internal');
    if (!url.pathname.includes(part)) return undefined;
    return new Response(null, { status: 307, headers: { Location: `http://${host}/latest/meta-data` } });
  };

const challenging =
  (host: string): Script =>
  (_, url) => {
    if (elsewhere(url)) return Response.json({ token: 'internal' });
    const challenge = `Bearer realm="http://${host}/latest/meta-data",service="x"`;
    return new Response(null, { status: 401, headers: { 'WWW-Authenticate': challenge } });
  };

const uploadingTo =
  (host: string): Script =>
  ({ method }, url) => {
    if (elsewhere(url)) return new Response(null, { status: 202 });
    if (method !== 'POST') return undefined;
    return new Response(null, { status: 202, headers: { Location: `http://${host}/latest/meta-data` } });
  };

type App = ReturnType<typeof testApp>;

async function upload(app: App) {
  const begun = await app.send('POST', '/v2/team/app/blobs/uploads/', alice);
  return app.send('PATCH', begun.header('Location') ?? '', alice, { body: new Uint8Array(1) });
}

/** The ways in which upstream can name another address: its script, and the client's request. */
const ways: Record<string, [(host: string) => Script, (app: App) => Promise<{ status: number }>]> = {
  'the redirect of a blob': [(host) => redirecting('/blobs/', host), (app) => app.get(blob)],
  'the redirect of a manifest': [
    (host) => redirecting('/manifests/', host),
    (app) => app.get(manifest, accept),
  ],
  'the realm of a token': [challenging, (app) => app.get(manifest, { ...accept, ...alice })],
  'the location of an upload': [uploadingTo, upload],
};

// A runtime without the addresses of connections, like workerd, checks the addresses in URLs.
describe.each(Object.entries(ways))('%s', (_, [script, request]) => {
  it.each(['127.0.0.1', 'localhost', '2130706433', '0.0.0.0', '[::1]', '169.254.169.254', '[fe80::7]'])(
    'does not lead to %s',
    async (host) => {
      const upstream = scriptedUpstream(script(host));
      expect((await request(testApp({}, upstream.fetch))).status).toBe(502);
      expect(upstream.asked.filter((asked) => asked.includes('meta-data'))).toEqual([]);
    },
  );

  it.each(['10.0.0.7', '[fd00::7]', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[2002:7f00:1::]'])(
    'does not lead to %s, except with REGSHIFT_UPSTREAM_NETWORKS',
    async (host) => {
      const upstream = scriptedUpstream(script(host));
      const closed = testApp({}, upstream.fetch);
      expect((await request(closed)).status).toBe(502);
      expect(upstream.asked.filter((asked) => asked.includes('meta-data'))).toEqual([]);
      expect(closed.logged.map(({ facts }) => facts?.remedy)).toContainEqual(
        expect.stringContaining('REGSHIFT_UPSTREAM_NETWORKS'),
      );
      const networks = '10.0.0.0/8,fd00::/8,169.254.0.0/16,127.0.0.0/8';
      await request(testApp({ REGSHIFT_UPSTREAM_NETWORKS: networks }, upstream.fetch));
      expect(upstream.asked.filter((asked) => asked.includes('meta-data')).length).toBeGreaterThan(0);
    },
  );

  it('leads to a name', async () => {
    const upstream = scriptedUpstream(script('storage.example'));
    await request(testApp({}, upstream.fetch));
    expect(upstream.asked.filter((asked) => asked.includes('meta-data')).length).toBeGreaterThan(0);
  });
});

it('REGSHIFT_UPSTREAM_NETWORKS of a route is for that route only', async () => {
  const upstream = scriptedUpstream(redirecting('/blobs/', '10.0.0.7'));
  const routes = [
    { match: { path: 'open/' }, upstream: upstreamUrl, upstreamNetworks: ['10.0.0.0/8'] },
    { match: { path: 'closed/' }, upstream: upstreamUrl },
  ];
  const app = testApp(
    { REGSHIFT_CONFIG: JSON.stringify({ routes }), REGSHIFT_UPSTREAM_AUTH: 'anonymous' },
    upstream.fetch,
  );
  expect((await app.get(blob.replace('/v2/', '/v2/closed/'))).status).toBe(502);
  expect((await app.get(blob.replace('/v2/', '/v2/open/'))).status).toBe(200);
});
