import * as bcrypt from 'bcryptjs';
import { expect, it, vi } from 'vitest';
import { compareInPlace } from '../../../src/auth/compare-password.ts';
import { createHtpasswdAuth } from '../../../src/auth/htpasswd.ts';
import { parseHtpasswd } from '../../../src/auth/htpasswd-file.ts';
import { createLoginQueue } from '../../../src/auth/login-queue.ts';

vi.mock(import('bcryptjs'), { spy: true });

/** Hashes of "secret" at costs of 4, 6 and 8. */
const alice = '$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const carol = '$2b$06$2LehYQanDBYmJsgtyuKyE.5zG4nHYI7TW6MgnzA0ppoB5WIH7TK7m';
const dave = '$2b$08$hh3f/qbuaqUgpPzxdNxaZe84KihZ.0rFzSZybuZRNBPul0DZfjXs2';

it('a password of an unknown user is compared as often as those of known users, with hashes of no user', async () => {
  const clock = () => 0;
  const { entries } = parseHtpasswd(`alice:${alice}\ncarol:${carol}\ndave:${dave}`);
  const auth = createHtpasswdAuth({
    entries,
    compare: compareInPlace,
    queue: createLoginQueue(clock),
    clock,
  });
  const compare = vi.mocked(bcrypt.compareSync);
  const comparisons = async (username: string) => {
    compare.mockClear();
    const headers = new Headers({ authorization: `Basic ${btoa(`${username}:secret`)}` });
    const attempt = { headers, address: '192.0.2.1', signal: undefined };
    expect(await auth.authenticate(attempt)).toMatchObject({ ok: false });
    for (const hash of [alice, carol, dave]) expect(compare).not.toHaveBeenCalledWith('secret', hash);
    return compare.mock.calls.length;
  };
  const names = Array.from({ length: 60 }, (_, index) => `nobody-${index}`);
  const counts = [];
  for (const name of names) counts.push(await comparisons(name));
  // For alice 4, 4, 5, 6, 7; for carol 6, 6, 7; for dave 8.
  expect(new Set(counts)).toEqual(new Set([1, 3, 5]));
  for (const [index, name] of names.entries()) expect(await comparisons(name)).toBe(counts[index]);
});
