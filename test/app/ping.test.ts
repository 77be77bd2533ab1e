import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import {
  basicChallenge,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
} from '../support/scripted-upstream.ts';

const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;

const failures: readonly [string, Script][] = [
  ['answers 503', () => specError(503, 'UNKNOWN')],
  ['limits', () => specError(429, 'TOOMANYREQUESTS')],
  [
    'is not there',
    () => {
      throw new TypeError('fetch failed');
    },
  ],
];

/** Engines ask for `/v2/` before anything else, and go no further without an answer. */
describe('the ping, while upstream fails', () => {
  it.each(failures)(
    'and %s, is answered as before, so that a whole pull gets what is remembered',
    async (_, script) => {
      const upstream = scriptedUpstream();
      const app = testApp({}, upstream.fetch);
      const manifest = () => app.get('/v2/sample/oci/manifests/latest', docker113);
      expect([(await app.get('/v2/')).status, (await manifest()).status]).toEqual([200, 200]);
      upstream.follow(script);
      app.advance(100);
      const ping = await app.get('/v2/');
      expect([ping.status, ping.header('Docker-Distribution-Api-Version')]).toEqual([200, 'registry/2.0']);
      expect([(await manifest()).status, (await manifest()).header('Age')]).toEqual([200, '100']);
    },
  );

  it('hands out the challenge that upstream gave', async () => {
    const upstream = scriptedUpstream(privateTo(alice[1]));
    const app = testApp({}, upstream.fetch);
    expect((await app.get('/v2/')).status).toBe(401);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    const again = await app.get('/v2/');
    expect([again.status, again.header('WWW-Authenticate')]).toEqual([401, basicChallenge]);
  });

  it('lets no login in that upstream cannot check', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    expect((await app.get('/v2/', [alice])).status).toBe(200);
    expect((await app.get('/v2/')).status).toBe(200);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    expect((await app.get('/v2/', [alice])).status).toBe(503);
  });

  it('fails where nothing is known, and after REGSHIFT_STALE', async () => {
    const upstream = scriptedUpstream(() => specError(503, 'UNKNOWN'));
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    expect((await app.get('/v2/')).status).toBe(503);
    upstream.follow();
    expect((await app.get('/v2/')).status).toBe(200);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(600);
    expect((await app.get('/v2/')).status).toBe(200);
    app.advance(1);
    expect((await app.get('/v2/')).status).toBe(503);
  });
});
