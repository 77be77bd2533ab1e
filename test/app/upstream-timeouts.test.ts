import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testApp, upstreamUrl } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const blob = `/v2/sample/oci/blobs/sha256:${'a'.repeat(64)}`;

/** A registry that answers after this many seconds. */
const answerAfter =
  (seconds: number): Script =>
  ({ signal }) =>
    new Promise((resolve, reject) => {
      setTimeout(() => resolve(new Response('late', { status: 202 })), seconds * 1000);
      signal.addEventListener('abort', () => reject(signal.reason));
    });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * The status of a response, and the seconds after which it came. Between the seconds, work that needs no timer goes on.
 */
async function timed(asking: Promise<{ readonly status: number }>): Promise<readonly [number, number]> {
  const started = Date.now();
  let isSettled = false;
  const done = asking
    .then(({ status }) => [status, Math.round((Date.now() - started) / 1000)] as const)
    .finally(() => {
      isSettled = true;
    });
  // A thread signs in real time, which has no part in these seconds: on a busy machine, many of them pass until then.
  while (!isSettled) {
    await vi.advanceTimersByTimeAsync(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}

describe('a registry that takes long', () => {
  it.each([
    ['GET', latest, 300],
    ['GET', '/v2/sample/oci/tags/list', 300],
    ['GET', '/v2/_catalog', 300],
    ['GET', blob, 600],
    ['POST', '/v2/sample/oci/blobs/uploads/', 600],
    ['PATCH', '/v2/sample/oci/blobs/uploads/x', 600],
    ['PUT', `/v2/sample/oci/blobs/uploads/x?digest=sha256:${'a'.repeat(64)}`, 600],
    ['DELETE', blob, 600],
  ])('ends %s %s after %i s', async (method, path, seconds) => {
    const upstream = scriptedUpstream(answerAfter(1_200));
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous', REGSHIFT_PUSH: 'allow' }, upstream.fetch);
    const headers = { 'content-length': '0' };
    expect(await timed(app.send(method, path, headers))).toEqual([504, seconds]);
  });

  it('ends the page after 30 s, and the page says so', async () => {
    const upstream = scriptedUpstream(answerAfter(1_200));
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, upstream.fetch);
    // The code of the page loads in real time.
    await timed(app.get('/', { Accept: 'text/html' }));
    const asking = app.get('/?image=sample/oci', { Accept: 'text/html' });
    expect(await timed(asking)).toEqual([504, 30]);
    expect((await asking).text()).toContain(
      'The registry took longer than the 30 s that this page waits for it.',
    );
    expect(app.logged.at(-1)?.facts).toMatchObject({ status: 504, error: 'UPSTREAM_TIMEOUT' });
  });

  it('ends the page after 30 s where only the tags beside a missing one take long', async () => {
    const slow = answerAfter(1_200);
    const upstream = scriptedUpstream((request, url) =>
      /tags|_catalog/.test(url.pathname) ? slow(request, url) : undefined,
    );
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, upstream.fetch);
    // The code of the page loads in real time.
    await timed(app.get('/', { Accept: 'text/html' }));
    const asking = app.get('/?image=sample/oci:none', { Accept: 'text/html' });
    expect(await timed(asking)).toEqual([404, 30]);
    expect((await asking).text()).toContain('No answer for sample/oci:none');
  });

  it.each([
    ['40', latest, 40],
    ['40', blob, 600],
    ['900', latest, 900],
    ['900', blob, 900],
  ])('has REGSHIFT_UPSTREAM_TIMEOUT=%s for GET %s: %i s', async (setting, path, seconds) => {
    const upstream = scriptedUpstream(answerAfter(1_200));
    const app = testApp({ REGSHIFT_UPSTREAM_TIMEOUT: setting }, upstream.fetch);
    expect(await timed(app.get(path, docker19))).toEqual([504, seconds]);
  });

  it('has its answers waited for: a manifest that takes 40 s arrives', async () => {
    const upstream = scriptedUpstream(async () => {
      await new Promise((resolve) => setTimeout(resolve, 40_000));
      return undefined;
    });
    const app = testApp({}, upstream.fetch);
    expect((await timed(app.get(latest, docker19)))[0]).toBe(200);
  });

  it('is not waited for longer than 30 s where a stale response can stand in', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '6000' }, upstream.fetch);
    await timed(app.get(latest, docker19));
    upstream.follow(answerAfter(1_200));
    app.advance(100);
    expect(await timed(app.get(latest, docker19))).toEqual([200, 30]);
  });

  it('loses its request when the last client has left', async () => {
    const aborted: string[] = [];
    const upstream = scriptedUpstream(({ signal, method }) => {
      signal.addEventListener('abort', () => void aborted.push(method));
      return answerAfter(1_200)({ signal } as Request, new URL(upstreamUrl));
    });
    const app = testApp({}, upstream.fetch);
    const [first, second] = [new AbortController(), new AbortController()];
    const asking = [first, second].map(({ signal }) =>
      app.send('GET', latest, docker19, { signal }).catch(() => 0),
    );
    await vi.advanceTimersByTimeAsync(1_000);
    first.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(aborted).toEqual([]);
    second.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(aborted.length).toBe(1);
    await Promise.all(asking);
  });
});
