import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createMemoryBudget } from '../../../src/cache/memory-budget.ts';
import { RegistryError } from '../../../src/errors.ts';
import { createAccessEpochs } from '../../../src/registry/access-epochs.ts';
import { type Credential, credentialKey } from '../../../src/upstream/auth/credential.ts';
import type { UpstreamClient, UpstreamResponse } from '../../../src/upstream/client.ts';
import { createGate } from '../../support/gate.ts';
import { testMemory } from '../../support/memory.ts';

const app = 'team/app' as RepositoryName;
const other = 'team/other' as RepositoryName;
const alice: Credential = { kind: 'client', authorization: 'Basic YWxpY2U6c2VjcmV0' };
const none: Credential = { kind: 'none' };
const mine = credentialKey(alice);
const forAll = async () => ({ public: true });
const forOne = async () => ({ public: false });

describe('a proof of access', () => {
  it('is valid until the epoch of its credential ends, in its repository alone', async () => {
    const epochs = createAccessEpochs(testMemory());
    const open = (await epochs.ask(app, 'none', forAll)).epoch;
    const own = (await epochs.ask(app, mine, forOne)).epoch;
    const elsewhere = (await epochs.ask(other, 'none', forAll)).epoch;
    const ended = () => [open, own, elsewhere].map(({ hasEnded }) => hasEnded);
    epochs.end(app, mine);
    expect(ended()).toEqual([false, true, false]);
    epochs.end(app, 'none');
    expect(ended()).toEqual([true, true, false]);
  });

  it('of a login that a mirror was asked without is public', async () => {
    const epochs = createAccessEpochs(testMemory());
    const { epoch } = await epochs.ask(app, mine, forAll);
    epochs.end(app, mine);
    expect(epoch.hasEnded).toBe(false);
    epochs.end(app, 'none');
    expect(epoch.hasEnded).toBe(true);
  });

  it('belongs to the epoch in which its question began', async () => {
    const epochs = createAccessEpochs(testMemory());
    const gate = createGate();
    const early = epochs.ask(app, 'none', async () => {
      await gate.pass();
      return { public: true };
    });
    epochs.end(app, 'none');
    const late = await epochs.ask(app, 'none', forAll);
    gate.open();
    expect([(await early).epoch.hasEnded, late.epoch.hasEnded]).toEqual([true, false]);
    epochs.end(app, 'none');
    expect(late.epoch.hasEnded).toBe(true);
  });

  it('is not displaced by questions that prove nothing', async () => {
    const epochs = createAccessEpochs(testMemory());
    const { epoch } = await epochs.ask(app, 'none', forAll);
    const refused = () => Promise.reject(new RegistryError('UNAUTHORIZED', 'refused'));
    for (let index = 0; index < 20_000; index += 1) {
      const name = `team/guess-${index}` as RepositoryName;
      await epochs.ask(name, 'none', refused).catch(() => epochs.end(name, 'none'));
    }
    expect(epoch.hasEnded).toBe(false);
    epochs.end(app, 'none');
    expect(epoch.hasEnded).toBe(true);
  });

  it('ends when there are too many newer ones: its end could not be found any more', async () => {
    const epochs = createAccessEpochs(createMemoryBudget(1));
    const { epoch } = await epochs.ask(app, 'none', forAll);
    for (let index = 0; index < 10_000; index += 1)
      await epochs.ask(`team/app-${index}` as RepositoryName, 'none', forAll);
    expect(epoch.hasEnded).toBe(true);
  });
});

describe('a response of upstream', () => {
  const responding = (answer: Partial<UpstreamResponse>, error?: unknown): UpstreamClient => ({
    id: 'http://registry.test',
    request: async () => {
      if (error) throw error;
      return { response: new Response(), anonymous: true, refused: true, ...answer };
    },
  });
  const get = { method: 'GET', path: '/v2/', repository: app, credential: none } as const;
  const unauthorized = new RegistryError('UNAUTHORIZED', 'refused');

  async function endedBy(client: UpstreamClient, request: Parameters<UpstreamClient['request']>[0]) {
    const epochs = createAccessEpochs(testMemory());
    const open = (await epochs.ask(app, 'none', forAll)).epoch;
    const own = (await epochs.ask(app, mine, forOne)).epoch;
    await epochs
      .watching(client)
      .request(request)
      .catch(() => undefined);
    return { open: open.hasEnded, own: own.hasEnded };
  }

  it.each([
    ['a refusal without a credential', responding({}), get, { open: true, own: false }],
    [
      'a refusal with a login',
      responding({ anonymous: false }),
      { ...get, credential: alice },
      { open: false, own: true },
    ],
    [
      "a token server's refusal of a login",
      responding({}, unauthorized),
      { ...get, credential: alice },
      { open: false, own: true },
    ],
    ['no refusal', responding({ refused: false }), get, { open: false, own: false }],
    ['a HEAD', responding({}), { ...get, method: 'HEAD' }, { open: false, own: false }],
    ['a write', responding({}), { ...get, scopes: ['push'] }, { open: false, own: false }],
    [
      'a token server that limits requests',
      responding({}, new RegistryError('RATE_LIMITED', 'later')),
      { ...get, credential: alice },
      { open: false, own: false },
    ],
  ] as const)('(%s) ends these epochs', async (_, client, request, expected) => {
    expect(await endedBy(client, request)).toEqual(expected);
  });
});
