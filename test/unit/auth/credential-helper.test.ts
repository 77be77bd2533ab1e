import { describe, expect, it } from 'vitest';
import { createCredentialHelper, type HelperAnswer } from '../../../src/auth/credential-helper.ts';
import { RegistryError } from '../../../src/errors.ts';
import type { StaticCredential } from '../../../src/upstream/auth/credential.ts';

const question = { program: 'docker-credential-test', server: 'registry.test' };
const login = (password: string): StaticCredential => ({ kind: 'service', username: 'robot', password });
const answer = (secret: string): HelperAnswer => ({ username: 'robot', secret });
const error = new RegistryError('MISCONFIGURED', 'docker-credential-test is broken');

function helperOver(first: HelperAnswer | RegistryError) {
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
  return { helper, state, logged };
}

describe('a login of a credential helper', () => {
  it('is read once for many concurrent requests', async () => {
    const { helper, state } = helperOver(answer('one'));
    const logins = await Promise.all(Array.from({ length: 20 }, () => helper.current()));
    expect(logins).toEqual(Array.from({ length: 20 }, () => login('one')));
    expect(state.asked).toBe(1);
  });

  it('is read again after ten minutes', async () => {
    const { helper, state } = helperOver(answer('one'));
    await helper.current();
    state.answer = answer('two');
    state.now = 599;
    expect(await helper.current()).toEqual(login('one'));
    state.now = 600;
    expect(await helper.current()).toEqual(login('two'));
    expect(state.asked).toBe(2);
  });

  it('with the user name <token> is an identity token', async () => {
    const { helper } = helperOver({ username: '<token>', secret: 'refresh' });
    expect(await helper.current()).toEqual({ kind: 'identity', token: 'refresh' });
  });

  it('remains in use if the helper fails later, and the log reports the error without the login', async () => {
    const { helper, state, logged } = helperOver(answer('hunter2'));
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

describe('a helper that fails', () => {
  it('reports the reason, and is not started for every request', async () => {
    const { helper, state } = helperOver(error);
    for (let times = 0; times < 5; times += 1) await expect(helper.current()).rejects.toBe(error);
    expect(state.asked).toBe(1);
    state.now = 5;
    state.answer = answer('one');
    expect(await helper.current()).toEqual(login('one'));
  });
});

describe('a login that upstream refuses', () => {
  it('is read again, and a different one is tried', async () => {
    const { helper, state } = helperOver(answer('one'));
    const refused = await helper.current();
    state.answer = answer('two');
    state.now = 30;
    expect(await helper.replace(refused)).toEqual(login('two'));
    expect(await helper.current()).toEqual(login('two'));
    // A second request was refused with the first one too.
    expect(await helper.replace(refused)).toEqual(login('two'));
    expect(state.asked).toBe(2);
  });

  it('is not read again within half a minute: registries also refuse content that does not exist', async () => {
    const { helper, state } = helperOver(answer('one'));
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
