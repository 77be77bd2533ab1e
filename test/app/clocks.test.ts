import { describe, expect, it, vi } from 'vitest';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { manyTags } from '../support/many-tags.ts';
import { holding, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';
import { v1Daemons } from '../support/v1-daemons.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const docker17 = [['User-Agent', v1Daemons['Docker 1.7.1'].userAgent]] as const;
const alice = 'Basic YWxpY2U6c2VjcmV0';
const latest = '/v2/sample/oci/manifests/latest';
const hour = 3_600;

/** Moves of the wall clock alone. A machine that sleeps looks like the second one: its monotonic clock stands still. */
const moves = [
  ['back by an hour', -hour],
  ['forward by an hour, or the machine slept', hour],
] as const;

const madeUp = (digit: string) => `/v2/team/app/manifests/sha256:${digit.repeat(64)}`;

const lists = (asked: readonly string[]) => asked.filter((each) => each.includes('/tags/list')).length;

describe.each(moves)('after the wall clock was set %s', (_name, seconds) => {
  /** Moves the wall clock, and lets the time pass that the monotonic clock must show where the move does not count. */
  function move(app: TestApp, passes: number): void {
    app.moveWallClock(seconds);
    if (seconds < 0) app.advance(passes);
  }

  it.each([
    ['0', 0],
    ['30', 30],
  ])('a right that upstream took back ends with REGSHIFT_TAG_TTL=%s', async (ttl, passes) => {
    const upstream = scriptedUpstream(privateTo(alice));
    const app = testApp({ REGSHIFT_TAG_TTL: ttl }, upstream.fetch);
    const headers = [...docker19, ['Authorization', alice]] as const;
    const pulled = await app.get(latest, headers);
    const derived = pulled.header('Docker-Content-Digest');
    const blob = `/v2/sample/oci/blobs/${emptyLayer.digest}`;
    expect([pulled.status, (await app.get(blob, headers)).status]).toEqual([200, 200]);
    upstream.follow(privateTo());
    move(app, passes);
    for (const path of [latest, `/v2/sample/oci/manifests/${derived}`, blob]) {
      expect((await app.get(path, headers)).status).toBe(401);
    }
  });

  it('a remembered response is fresh for the TTL, counted from before', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const headsLater = async (passes: number) => {
      app.advance(passes);
      upstream.forget();
      await app.get(latest, docker19);
      return upstream.asked.length;
    };
    await app.get(latest, docker19);
    app.moveWallClock(seconds);
    expect(await headsLater(29)).toBe(seconds > 0 ? 1 : 0);
    expect(await headsLater(1)).toBe(seconds > 0 ? 0 : 1);
  });

  it('a public response stands in for a failing upstream no longer than REGSHIFT_STALE', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    await app.get(latest, docker19);
    await app.get('/v2/');
    upstream.follow(() => specError(503, 'UNKNOWN'));
    move(app, 601);
    expect((await app.get(latest, docker19)).status).toBe(503);
    expect((await app.get('/v2/')).status).toBe(503);
  });

  it('a digest that was missing is searched again', async () => {
    const upstream = scriptedUpstream(manyTags('team/app', { a: 'sample/oci' }));
    const app = testApp({}, upstream.fetch);
    for (let again = 0; again < 2; again += 1) {
      expect((await app.get(madeUp('1'), docker113)).status).toBe(404);
    }
    expect(lists(upstream.asked)).toBe(1);
    move(app, 30);
    expect((await app.get(madeUp('1'), docker113)).status).toBe(404);
    expect(lists(upstream.asked)).toBe(2);
  });

  it('a requester has a new allowance of failed searches', async () => {
    const upstream = scriptedUpstream(manyTags('team/app', { a: 'sample/oci' }));
    const app = testApp({}, upstream.fetch);
    for (const digit of '12345') await app.get(madeUp(digit), docker113);
    expect(lists(upstream.asked)).toBe(3);
    move(app, 30);
    await app.get(madeUp('6'), docker113);
    expect(lists(upstream.asked)).toBe(4);
  });

  it('the tags of API v1 are listed again', async () => {
    const upstream = scriptedUpstream(manyTags('team/app', { a: 'sample/oci' }));
    const app = testApp({}, upstream.fetch);
    const path = '/v1/repositories/team/app/tags';
    for (let again = 0; again < 2; again += 1) await app.get(path, docker17);
    expect(lists(upstream.asked)).toBe(1);
    move(app, 30);
    await app.get(path, docker17);
    expect(lists(upstream.asked)).toBe(2);
  });

  it('a mirror that failed is asked again', async () => {
    const [near, far] = ['http://near.test', 'https://far.test'] as const;
    const oci = () => holding({ 'team/app': 'sample/oci' });
    const both = network({ [far]: oci() });
    const mirrors = { REGSHIFT_UPSTREAM: `${near},${far}`, REGSHIFT_UPSTREAM_AUTH: 'anonymous' };
    const app = testApp({ ...mirrors, REGSHIFT_TAG_TTL: '0' }, both.fetch);
    const path = '/v2/team/app/manifests/latest';
    await app.get(path, docker19);
    both.set(near, oci());
    both.forget();
    await app.get(path, docker19);
    expect(both.at(near)).toEqual([]);
    move(app, 30);
    await app.get(path, docker19);
    expect(both.at(near)).not.toEqual([]);
  });
});

/** Lets time pass on the clocks of the app while upstream works on the first request of this kind. */
function slowOnce(isSlow: (request: Request, url: URL) => boolean, seconds: number, script?: Script) {
  let isFirst = true;
  let app: TestApp | undefined;
  const upstream = scriptedUpstream((request, url) => {
    if (isFirst && isSlow(request, url)) {
      isFirst = false;
      app?.advance(seconds);
    }
    return script?.(request, url);
  });
  const over = (variables: Record<string, string> = {}) => {
    app = testApp(variables, upstream.fetch);
    return app;
  };
  return { upstream, over };
}

/** The age of a response begins when it was asked for, as RFC 9111, section 4.2.3, counts the delay of a response. */
describe('a fact that upstream took long to say is as old when it arrives', () => {
  const isManifest = ({ method }: Request, { pathname }: URL) =>
    method !== 'POST' && pathname.includes('/manifests/');
  const isList = (_request: Request, { pathname }: URL) => pathname.endsWith('/tags/list');

  it('a proof of a right', async () => {
    const { upstream, over } = slowOnce(isManifest, 3, privateTo(alice));
    const app = over();
    const headers = [...docker19, ['Authorization', alice]] as const;
    await app.get(latest, headers);
    upstream.forget();
    app.advance(26);
    expect([(await app.get(latest, headers)).status, upstream.asked]).toEqual([200, []]);
    app.advance(1);
    expect((await app.get(latest, headers)).status).toBe(200);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('a proof that took longer than the TTL serves those who waited, and no other', async () => {
    const { upstream, over } = slowOnce(isManifest, 31);
    const app = over();
    const waited = await Promise.all([app.get(latest, docker19), app.get(latest, docker19)]);
    expect(waited.map(({ status }) => status)).toEqual([200, 200]);
    upstream.forget();
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('the right to the empty layer, also for a request that came while upstream was asked', async () => {
    const path = `/v2/sample/oci/blobs/${emptyLayer.digest}`;
    const asked = createGate();
    const upstream = scriptedUpstream(async (_request, { pathname }) => {
      if (pathname !== path) return undefined;
      await asked.pass();
      return new Response(emptyLayer.bytes, { headers: { 'Content-Length': '32' } });
    });
    const app = testApp({}, upstream.fetch);
    const first = app.head(path);
    await vi.waitFor(() => expect(asked.waiting).toBe(1));
    app.advance(20);
    const second = app.head(path);
    await settled();
    asked.open();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
    expect(upstream.asked).toEqual([`HEAD ${path}`]);
    app.advance(10);
    await app.head(path);
    expect(upstream.asked).toEqual([`HEAD ${path}`, `HEAD ${path}`]);
  });

  it('the right to the empty layer that follows from the right to an image is no younger than that', async () => {
    const path = `/v2/sample/oci/blobs/${emptyLayer.digest}`;
    const upstream = scriptedUpstream(privateTo(alice));
    const app = testApp({}, upstream.fetch);
    const headers = [...docker19, ['Authorization', alice]] as const;
    await app.get(latest, headers);
    app.advance(29);
    expect((await app.head(path, headers)).status).toBe(200);
    upstream.follow(privateTo());
    app.advance(1);
    expect((await app.head(path, headers)).status).toBe(401);
  });

  it('a miss', async () => {
    const { upstream, over } = slowOnce(isList, 10, manyTags('team/app', { a: 'sample/oci' }));
    const app = over();
    await app.get(madeUp('1'), docker113);
    app.advance(19);
    await app.get(madeUp('1'), docker113);
    expect(lists(upstream.asked)).toBe(1);
    app.advance(1);
    await app.get(madeUp('1'), docker113);
    expect(lists(upstream.asked)).toBe(2);
  });

  it('the tags of API v1', async () => {
    const { upstream, over } = slowOnce(isList, 10, manyTags('team/app', { a: 'sample/oci' }));
    const app = over();
    const path = '/v1/repositories/team/app/tags';
    await app.get(path, docker17);
    app.advance(20);
    await app.get(path, docker17);
    expect(lists(upstream.asked)).toBe(2);
  });

  it('the response to a ping', async () => {
    const { upstream, over } = slowOnce((_request, { pathname }) => pathname === '/v2/', 5);
    const app = over({ REGSHIFT_STALE: '600' });
    expect((await app.get('/v2/')).status).toBe(200);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(596);
    expect((await app.get('/v2/')).status).toBe(503);
  });
});
