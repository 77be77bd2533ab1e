import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLoginQueue, type LoginQueue } from '../../../src/auth/login-queue.ts';

const full = { code: 'OVERLOADED', headers: { 'retry-after': '5' } };

/** Checks that the test ends, in the order in which they run. */
function logins(clock = () => 0) {
  const queue: LoginQueue = createLoginQueue(clock);
  const ran: string[] = [];
  let running: PromiseWithResolvers<boolean> | undefined;
  const check = (address: string, key: string, signal?: AbortSignal, username = key) => {
    const run = () => {
      ran.push(`${address} ${key}`);
      running = Promise.withResolvers();
      return running.promise;
    };
    const result = queue.check({ address, username, key, run }, signal);
    result.catch(() => undefined);
    return result;
  };
  /** Ends the check that runs, and lets the next one begin. */
  const end = async (right = false) => {
    running?.resolve(right);
    await settle();
  };
  const fail = async (error: Error) => {
    running?.reject(error);
    await settle();
  };
  return { check, end, fail, ran };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `login-${index}`);

describe('logins in the queue', () => {
  it('are checked one at a time, addresses in turn', async () => {
    const { check, end, ran } = logins();
    for (const key of ['1', '2', '3']) check('flood', key);
    check('home', '1');
    check('work', '1');
    expect(ran).toEqual(['flood 1']);
    for (let turn = 0; turn < 4; turn += 1) await end();
    expect(ran).toEqual(['flood 1', 'flood 2', 'home 1', 'work 1', 'flood 3']);
  });

  it('of one address take turns by the name that they state', async () => {
    const { check, end, ran } = logins();
    for (const key of ['a', 'b', 'c']) check('office', key, undefined, 'guessed');
    check('office', 'd', undefined, 'other');
    for (let turn = 0; turn < 4; turn += 1) await end();
    expect(ran).toEqual(['office a', 'office b', 'office d', 'office c']);
  });

  it('get the result of their check', async () => {
    const { check, end, fail } = logins();
    const [right, wrong, failed] = [check('home', '1'), check('home', '2'), check('home', '3')];
    await end(true);
    await end(false);
    await fail(new Error('no thread'));
    expect([await right, await wrong]).toEqual([true, false]);
    await expect(failed).rejects.toThrow('no thread');
    const next = check('home', '4');
    await end(true);
    expect(await next).toBe(true);
  });

  it('of one address are bounded in number, and those of other addresses still enter', async () => {
    const { check, end, ran } = logins();
    const flood = many(34).map((key) => check('flood', key));
    // The first one is checked, and 32 wait.
    await expect(flood[33]).rejects.toMatchObject(full);
    check('home', 'x');
    await end();
    await end();
    expect(ran.at(-1)).toBe('home x');
    // The place of the one that was checked is free again.
    check('flood', 'late');
    await expect(check('flood', 'later')).rejects.toMatchObject(full);
  });

  it('are bounded in total: the address with the most gives a place to one with few', async () => {
    const { check, end, ran } = logins();
    const first = check('first', 'x');
    const floods = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((address) =>
      many(32).map((key) => check(address, key)),
    );
    const more = many(8).map((key) => check('g', key));
    const home = check('home', 'x');
    await expect(floods[31]).rejects.toMatchObject(full);
    const outcomes = await Promise.allSettled([...floods, ...more].map((each) => Promise.race([each, 0])));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    for (let turn = 0; turn < 8; turn += 1) await end(true);
    expect(ran.slice(-2)).toEqual(['g login-0', 'home x']);
    await end(true);
    expect([await first, await home]).toEqual([true, true]);
  });

  it('of one each from as many addresses as the queue holds are refused, and displace none', async () => {
    const { check } = logins();
    check('first', 'x');
    const waiting = many(200).map((address) => check(address, 'x'));
    await expect(check('home', 'x')).rejects.toMatchObject(full);
    const outcomes = await Promise.allSettled(waiting.map((each) => Promise.race([each, 0])));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
  });
});

describe('equal logins', () => {
  it('of one address share a check, and a place in the queue', async () => {
    const { check, end, ran } = logins();
    check('home', 'first');
    const shared = many(100).map(() => check('home', 'same'));
    await end();
    shared.push(check('home', 'same'));
    await end(true);
    expect(new Set(await Promise.all(shared))).toEqual(new Set([true]));
    expect(ran).toEqual(['home first', 'home same']);
  });

  it('of two addresses do not wait for one another', async () => {
    const { check, end, ran } = logins();
    for (const key of [...many(10), 'same']) check('flood', key);
    const home = check('home', 'same');
    await end();
    await end();
    expect(ran.at(-1)).toBe('home same');
    await end(true);
    expect(await home).toBe(true);
  });
});

describe('a client that leaves', () => {
  it('leaves the queue', async () => {
    const { check, end, ran } = logins();
    check('home', '1');
    const leaving = new AbortController();
    const left = many(32).map((key) => check('home', key, leaving.signal));
    leaving.abort(new Error('gone'));
    await expect(Promise.any(left)).rejects.toThrow();
    check('home', '2');
    await end();
    await end();
    expect(ran).toEqual(['home 1', 'home 2']);
  });

  it('does not end a check that others share', async () => {
    const { check, end } = logins();
    check('home', '1');
    const leaving = new AbortController();
    const [gone, stays] = [check('home', 'same', leaving.signal), check('home', 'same')];
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await end();
    await end(true);
    expect(await stays).toBe(true);
  });

  it('before it enters the queue is not checked', async () => {
    const { check, ran } = logins();
    await expect(check('home', '1', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(ran).toEqual([]);
  });
});

describe('time', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ends the wait before a client gives up', async () => {
    const { check, end, ran } = logins();
    const [first, second] = [check('home', '1'), check('home', '2')];
    await vi.advanceTimersByTimeAsync(8_000);
    await expect(first).rejects.toMatchObject(full);
    await expect(second).rejects.toMatchObject(full);
    await end();
    expect(ran).toEqual(['home 1']);
  });

  it('ends a check that never ends, like one of a request that workerd aborts', async () => {
    let now = 0;
    const { check, end, ran } = logins(() => now);
    const lost = check('home', '1');
    now = 59_999;
    check('home', '2');
    expect(ran).toEqual(['home 1']);
    now = 60_000;
    check('home', '1');
    expect(ran).toEqual(['home 1', 'home 2']);
    await expect(lost).rejects.toMatchObject(full);
    await end();
    expect(ran).toEqual(['home 1', 'home 2', 'home 1']);
  });
});
