import * as bcrypt from 'bcryptjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientAuth, LoginAttempt } from '../../../src/auth/client-auth.ts';
import { compareInPlace } from '../../../src/auth/compare-password.ts';
import { createHtpasswdAuth } from '../../../src/auth/htpasswd.ts';
import { parseHtpasswd } from '../../../src/auth/htpasswd-file.ts';
import { createLoginQueue } from '../../../src/auth/login-queue.ts';

vi.mock(import('bcryptjs'), { spy: true });

/** Hashes of "secret" and "päss:wörd", at the lowest cost. */
const alice = '$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const bob = '$2a$04$OvlkWcBLDMr5G0we.T2hWOMEpNPDYXIBl2krGArSYEL7O7yZs7WqS';

/** Hashes of "secret", at costs of 6 and 8. */
const carol = '$2b$06$2LehYQanDBYmJsgtyuKyE.5zG4nHYI7TW6MgnzA0ppoB5WIH7TK7m';
const dave = '$2b$08$hh3f/qbuaqUgpPzxdNxaZe84KihZ.0rFzSZybuZRNBPul0DZfjXs2';

function attempt(authorization: string | undefined): LoginAttempt {
  const headers = new Headers(authorization === undefined ? {} : { authorization });
  return { headers, address: '192.0.2.1', signal: undefined };
}

function basic(login: string): LoginAttempt {
  const bytes = new TextEncoder().encode(login);
  return attempt(`Basic ${btoa(String.fromCharCode(...bytes))}`);
}

describe('an htpasswd file', () => {
  it('has a user a line, comments and empty lines, and ends of lines of either kind', () => {
    const { entries, problems } = parseHtpasswd(`# team\r\nalice:${alice}\r\n\n  bob:${bob}  \n`);
    expect(problems).toEqual([]);
    expect([...entries.values()]).toEqual([
      { username: 'alice', hash: alice },
      { username: 'bob', hash: bob },
    ]);
  });

  it.each([
    ['alice', /not user:hash/],
    [`:${alice}`, /not user:hash/],
    ['alice:secret', /bcrypt/],
    ['alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', /bcrypt/],
    ['alice:$apr1$abcdefgh$0123456789012345678901', /bcrypt/],
    [`alice:${alice}x`, /bcrypt/],
    [`alice:${alice.replace('$04$', '$03$')}`, /cost of 3/],
    [`alice:${alice.replace('$04$', '$15$')}`, /cost of 15/],
    [`bob:${alice}`, /second time/],
  ])('has a problem with the line %s, told by its number alone', (line, message) => {
    const { problems } = parseHtpasswd(`bob:${bob}\n${line}`);
    expect(problems).toEqual([{ line: 2, message: expect.stringMatching(message) }]);
    expect(problems[0]?.message).not.toMatch(/alice|secret|\$2/);
  });
});

describe('a login by htpasswd', () => {
  let now = 0;
  const clock = () => now;
  const file = (text: string): ClientAuth => {
    const { entries } = parseHtpasswd(text);
    return createHtpasswdAuth({ entries, compare: compareInPlace, queue: createLoginQueue(clock), clock });
  };
  const auth = () => file(`alice:${alice}\nbob:${bob}`);
  const compare = vi.mocked(bcrypt.compareSync);
  /** The hashes of all comparisons since the test began. */
  const rounds = () => compare.mock.calls.reduce((sum, [, hash]) => sum + 2 ** bcrypt.getRounds(hash), 0);
  beforeEach(() => {
    now = 0;
    compare.mockClear();
  });

  it.each([
    ['alice:secret', 'alice'],
    ['bob:päss:wörd', 'bob'],
  ])('%s is right', async (login, subject) => {
    expect(await auth().authenticate(basic(login))).toEqual({ ok: true, subject });
  });

  it('is right in a file of 150,000 users', async () => {
    const many = Array.from({ length: 150_000 }, (_, index) => `user${index}:${alice}`);
    expect(await file(many.join('\n')).authenticate(basic('user149999:secret'))).toMatchObject({ ok: true });
  });

  it.each([
    'alice:wrong',
    'alice:secret ',
    'alice:',
    'bob:secret',
    'carol:secret',
    ':secret',
    'Alice:secret',
    '__proto__:secret',
  ])('%s is wrong, and costs one comparison', async (login) => {
    const admission = await auth().authenticate(basic(login));
    expect(admission).toMatchObject({ ok: false, challenge: 'Basic realm="regshift"' });
    expect(JSON.stringify(admission)).not.toContain('secret');
    expect(compare).toHaveBeenCalledOnce();
  });

  it.each([undefined, 'Basic', 'Basic !', `Basic ${btoa('alice')}`, 'Bearer YWxpY2U6c2VjcmV0'])(
    'is requested by a challenge if there is none: %s',
    async (authorization) => {
      expect(await auth().authenticate(attempt(authorization))).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/^Log in/),
      });
      expect(compare).not.toHaveBeenCalled();
    },
  );

  it('is compared once while it is in use, and again after ten minutes without use', async () => {
    const one = auth();
    for (const minutes of [0, 1, 10.9, 20.8]) {
      now = minutes * 60_000;
      expect(await one.authenticate(basic('alice:secret'))).toMatchObject({ ok: true });
    }
    expect(compare).toHaveBeenCalledTimes(1);
    now = 30.8 * 60_000;
    expect(await one.authenticate(basic('alice:secret'))).toMatchObject({ ok: true });
    expect(compare).toHaveBeenCalledTimes(2);
  });

  it('that is correct does not admit a wrong one, which is not remembered', async () => {
    const one = auth();
    await one.authenticate(basic('alice:secret'));
    for (const login of ['alice:wrong', 'alice:wrong', 'bob:secret']) {
      expect(await one.authenticate(basic(login))).toMatchObject({ ok: false });
    }
    expect(compare).toHaveBeenCalledTimes(4);
    expect(await one.authenticate(basic('alice:secret'))).toMatchObject({ ok: true });
    expect(compare).toHaveBeenCalledTimes(4);
  });

  const mixed = `alice:${alice}\ncarol:${carol}\ndave:${dave}`;
  it.each([
    'alice:wrong',
    'carol:wrong',
    'dave:wrong',
    ':wrong',
    ...Array.from({ length: 20 }, (_, index) => `nobody-${index}:secret`),
    'alice:',
    `alice:${'x'.repeat(1000)}`,
    'alice:a\0b',
    'alice:secret\0',
  ])('%s costs what the dearest entry costs', async (login) => {
    expect(await file(mixed).authenticate(basic(login))).toMatchObject({ ok: false });
    expect(rounds()).toBe(2 ** 8);
  });

  it('of the users of one route is not let in by another one that checks it at the same time', async () => {
    const queue = createLoginQueue(clock);
    const route = (text: string) =>
      createHtpasswdAuth({ entries: parseHtpasswd(text).entries, compare: compareInPlace, queue, clock });
    const others = [`carol:${carol}`, `alice:${bob}`];
    const routes = [route(`alice:${alice}`), ...others.map(route)];
    const admissions = await Promise.all(routes.map((each) => each.authenticate(basic('alice:secret'))));
    expect(admissions.map(({ ok }) => ok)).toEqual([true, false, false]);
  });

  it('of an unknown user is refused even if a comparison matches', async () => {
    const { entries } = parseHtpasswd(mixed);
    const compare = async () => true;
    const one = createHtpasswdAuth({ entries, compare, queue: createLoginQueue(clock), clock });
    expect(await one.authenticate(basic('alice:any'))).toMatchObject({ ok: true });
    expect(await one.authenticate(basic('nobody:any'))).toMatchObject({ ok: false });
  });

  it('that is correct takes no more rounds than its entry', async () => {
    expect(await file(mixed).authenticate(basic('carol:secret'))).toMatchObject({ ok: true });
    expect(rounds()).toBe(2 ** 6);
  });
});
