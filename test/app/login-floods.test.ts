import { describe, expect, it } from 'vitest';
import { compareInPlace } from '../../src/auth/compare-password.ts';
import { testApp } from '../support/app.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

/** alice and bob, both with the password "secret", at the lowest cost. */
const users = ['alice', 'bob'].map(
  (name) => `${name}:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq`,
);
const variables = {
  REGSHIFT_UPSTREAM_AUTH: 'anonymous',
  REGSHIFT_CLIENT_AUTH: 'basic',
  REGSHIFT_HTPASSWD: users.join('\n'),
};
const latest = '/v2/sample/oci/manifests/latest';

/** An app whose password comparisons start when the test calls `next`. */
function guarded() {
  const begin: (() => void)[] = [];
  const compared: string[] = [];
  const app = testApp(variables, scriptedUpstream().fetch, {
    async comparePassword(password, hash, decoys) {
      await new Promise<void>((resolve) => begin.push(resolve));
      compared.push(password);
      return compareInPlace(password, hash, decoys);
    },
  });
  const ask = (login: string, clientAddress: string, path = latest, signal?: AbortSignal) =>
    app.send(
      'GET',
      path,
      { Authorization: `Basic ${btoa(login)}` },
      { clientAddress, ...(signal ? { signal } : {}) },
    );
  const next = async () => {
    await waitUntil(() => begin.length > 0);
    const before = compared.length;
    begin.shift()?.();
    await waitUntil(() => compared.length > before);
  };
  return { app, ask, next, begin, compared };
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !isSo(); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 1));
  expect(isSo()).toBe(true);
}

async function all<Result>(promises: readonly Promise<Result>[], next: () => Promise<void>, turns: number) {
  for (let turn = 0; turn < turns; turn += 1) await next();
  return Promise.all(promises);
}

describe('a flood of wrong logins from one address', () => {
  const flood = Array.from({ length: 60 }, (_, index) => `alice:guess-${index}`);

  it.each([
    ['v2', latest],
    ['v1', '/v1/_ping'],
  ])('waits in a bounded queue, and gets 503 beyond it from API %s', async (_name, path) => {
    const { ask, next, compared } = guarded();
    const responses = await all(
      flood.map((login) => ask(login, '192.0.2.1', path)),
      next,
      33,
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses).toEqual(flood.map((_, index) => (index < 33 ? 401 : 503)));
    expect(responses.at(-1)?.header('Retry-After')).toBe('5');
    expect(responses.at(-1)?.text()).toContain('Too many logins wait to be checked here');
    expect(compared).toHaveLength(33);
  });

  it('delays a login from another address by the running comparison and one more', async () => {
    const { ask, next, compared } = guarded();
    const guesses = flood.map((login) => ask(login, '192.0.2.1'));
    // The first response is a refusal, because the queue is full.
    expect((await Promise.race(guesses)).status).toBe(503);
    const bob = ask('bob:secret', '192.0.2.2');
    for (let turn = 0; turn < 3; turn += 1) await next();
    expect((await bob).status).toBe(200);
    expect(compared).toEqual(['guess-0', 'guess-1', 'secret']);
    await all(guesses, next, 31);
  });

  it('does not delay a user who has logged in before, from any address', async () => {
    const { app, ask, next, begin, compared } = guarded();
    const [first] = await all([ask('bob:secret', '192.0.2.1')], next, 1);
    expect(first?.status).toBe(200);
    const guesses = flood.map((login) => ask(login, '192.0.2.1'));
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      app.advance(599);
      expect((await ask('bob:secret', address, '/v2/')).status).toBe(200);
    }
    expect(compared).toEqual(['secret']);
    await all(guesses, next, 33);
    expect(begin).toEqual([]);
  });

  it('leaves the queue when its clients disconnect', async () => {
    const { ask, next, compared } = guarded();
    const leaving = new AbortController();
    const guesses = flood.map((login) => ask(login, '192.0.2.1', latest, leaving.signal));
    const over = Promise.allSettled(guesses);
    await Promise.race(guesses);
    leaving.abort();
    await over;
    const responses = await all([ask('bob:secret', '192.0.2.1')], next, 2);
    expect(responses[0]?.status).toBe(200);
    expect(compared).toEqual(['guess-0', 'secret']);
  });
});

it('concurrent logins of one pull are compared once', async () => {
  const { ask, next, compared } = guarded();
  const pull = Array.from({ length: 40 }, () => ask('bob:secret', '192.0.2.1'));
  const responses = await all(pull, next, 1);
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
  expect(compared).toEqual(['secret']);
});

it('a failed comparison refuses the login', async () => {
  const app = testApp(variables, scriptedUpstream().fetch, {
    comparePassword: () => Promise.reject(new Error('no thread')),
  });
  const response = await app.get(latest, { Authorization: `Basic ${btoa('bob:secret')}` });
  expect(response.status).toBe(500);
});
