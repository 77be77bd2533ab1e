import * as bcrypt from 'bcryptjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createHtpasswdAuth } from '../../../src/auth/htpasswd.ts';
import { parseHtpasswd } from '../../../src/auth/htpasswd-file.ts';

vi.mock(import('bcryptjs'), { spy: true });

/** Of "secret" and "päss:wörd", at the lowest cost. */
const alice = '$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const bob = '$2a$04$OvlkWcBLDMr5G0we.T2hWOMEpNPDYXIBl2krGArSYEL7O7yZs7WqS';

function basic(login: string): Headers {
  const bytes = new TextEncoder().encode(login);
  return new Headers({ authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` });
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
  const { entries } = parseHtpasswd(`alice:${alice}\nbob:${bob}`);
  const auth = () => createHtpasswdAuth(entries, () => now);
  beforeEach(() => {
    now = 0;
    vi.mocked(bcrypt.compare).mockClear();
  });

  it.each([
    ['alice:secret', 'alice'],
    ['bob:päss:wörd', 'bob'],
  ])('%s is right', async (login, subject) => {
    expect(await auth().authenticate(basic(login))).toEqual({ ok: true, subject });
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
    expect(bcrypt.compare).toHaveBeenCalledOnce();
  });

  it.each([undefined, 'Basic', 'Basic !', `Basic ${btoa('alice')}`, 'Bearer YWxpY2U6c2VjcmV0'])(
    'is asked for when there is none: %s',
    async (authorization) => {
      const headers = new Headers(authorization === undefined ? {} : { authorization });
      expect(await auth().authenticate(headers)).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/^Log in/),
      });
      expect(bcrypt.compare).not.toHaveBeenCalled();
    },
  );

  it('is compared once a minute when it is right', async () => {
    const one = auth();
    for (const seconds of [0, 1, 59.9]) {
      now = seconds * 1000;
      expect(await one.authenticate(basic('alice:secret'))).toMatchObject({ ok: true });
    }
    expect(bcrypt.compare).toHaveBeenCalledTimes(1);
    now = 60_000;
    expect(await one.authenticate(basic('alice:secret'))).toMatchObject({ ok: true });
    expect(bcrypt.compare).toHaveBeenCalledTimes(2);
  });

  it('that is right opens nothing for one that is wrong, nor is that one remembered', async () => {
    const one = auth();
    await one.authenticate(basic('alice:secret'));
    for (const login of ['alice:wrong', 'alice:wrong', 'bob:secret']) {
      expect(await one.authenticate(basic(login))).toMatchObject({ ok: false });
    }
    expect(bcrypt.compare).toHaveBeenCalledTimes(4);
  });

  it('of an unknown user is compared with a real hash, or the time of the answer would tell', async () => {
    await auth().authenticate(basic('nobody:secret'));
    expect(bcrypt.compare).toHaveBeenCalledWith('secret', alice);
  });
});
