import { describe, expect, it } from 'vitest';
import { createCredentialHelper, type HelperAnswer } from '../../../src/auth/credential-helper.ts';
import { RegistryError } from '../../../src/errors.ts';
import type { StaticCredential } from '../../../src/upstream/auth/credential.ts';

const question = { program: 'docker-credential-test', server: 'registry.test' };
const login = (password: string): StaticCredential => ({ kind: 'service', username: 'robot', password });
const answer = (secret: string): HelperAnswer => ({ username: 'robot', secret });
const error = new RegistryError('MISCONFIGURED', 'docker-credential-test is broken');

function keeperOf(first: HelperAnswer | RegistryError) {
  const state = { answer: first, now: 0, asked: 0 };
  const logged: unknown[] = [];
  const helper = createCredentialHelper({
    question,
    ask: async () => {
      state.asked += 1;
      await Promise.resolve();
      if (state.answer instanceof RegistryError) throw state.answer;
      return state.answer;
    },
    clock: () => state.now * 1000,
    log: (...event) => logged.push(event),
    background: () => undefined,
  });
  return { keeper: helper, state, logged };
}

describe('a login that a helper keeps', () => {
  it('is asked for once by many at once', async () => {
    const { keeper: helper, state } = keeperOf(answer('one'));
    const logins = await Promise.all(Array.from({ length: 20 }, () => helper.current()));
    expect(logins).toEqual(Array.from({ length: 20 }, () => login('one')));
    expect(state.asked).toBe(1);
  });

  it('is asked for again after ten minutes', async () => {
    const { keeper: helper, state } = keeperOf(answer('one'));
    await helper.current();
    state.answer = answer('two');
    state.now = 599;
    expect(await helper.current()).toEqual(login('one'));
    state.now = 600;
    expect(await helper.current()).toEqual(login('two'));
    expect(state.asked).toBe(2);
  });

  it('with the user name <token> is an identity token', async () => {
    const { keeper: helper } = keeperOf({ username: '<token>', secret: 'refresh' });
    expect(await helper.current()).toEqual({ kind: 'identity', token: 'refresh' });
  });

  it('goes on being used when the helper fails later, and that is in the log without it', async () => {
    const { keeper: helper, state, logged } = keeperOf(answer('hunter2'));
    await helper.current();
    state.answer = error;
    state.now = 601;
    expect(await helper.current()).toEqual(login('hunter2'));
    expect(await helper.current()).toEqual(login('hunter2'));
    expect([state.asked, logged.length]).toEqual([2, 1]);
    expect(JSON.stringify(logged)).toContain('docker-credential-test is broken');
    expect(JSON.stringify(logged)).not.toContain('hunter2');
  });
});

describe('a helper that gives no login', () => {
  it('says why, and is not started for every request', async () => {
    const { keeper: helper, state } = keeperOf(error);
    for (let times = 0; times < 5; times += 1) await expect(helper.current()).rejects.toBe(error);
    expect(state.asked).toBe(1);
    state.now = 5;
    state.answer = answer('one');
    expect(await helper.current()).toEqual(login('one'));
  });
});

describe('a login that upstream refuses', () => {
  it('is asked for again, and another one is tried', async () => {
    const { keeper: helper, state } = keeperOf(answer('one'));
    const refused = await helper.current();
    state.answer = answer('two');
    state.now = 30;
    expect(await helper.replace(refused)).toEqual(login('two'));
    expect(await helper.current()).toEqual(login('two'));
    // A second request was refused with the first one too.
    expect(await helper.replace(refused)).toEqual(login('two'));
    expect(state.asked).toBe(2);
  });

  it('is not asked for again within half a minute: registries refuse what is not there, too', async () => {
    const { keeper: helper, state } = keeperOf(answer('one'));
    const refused = await helper.current();
    state.now = 29;
    expect(await helper.replace(refused)).toBeUndefined();
    state.now = 30;
    expect(await helper.replace(refused)).toBeUndefined();
    state.now = 59;
    expect(await helper.replace(refused)).toBeUndefined();
    expect(state.asked).toBe(2);
  });
});
