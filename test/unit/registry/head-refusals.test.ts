import { expect, test } from 'vitest';
import type { Tag } from '../../../converters/reference.ts';
import { createMemoryBudget } from '../../../src/cache/memory-budget.ts';
import { RegistryError } from '../../../src/errors.ts';
import { createHeadRefusals } from '../../../src/registry/head-refusals.ts';
import type { Credential } from '../../../src/upstream/auth/credential.ts';
import type { RequestContext } from '../../../src/upstream/request-context.ts';

const refusal = (upstreamStatus: number) =>
  new RegistryError('UNAUTHORIZED', 'The registry refuses.', { detail: { upstreamStatus } });
const as = (credential: Credential) => ({ credential }) as RequestContext;
const alice = as({ kind: 'client', authorization: 'Basic YWxpY2U6YQ==' });
const bob = as({ kind: 'client', authorization: 'Basic Ym9iOmI=' });
const anonymous = as({ kind: 'none' });

function refusals() {
  let now = 1_000_000;
  const heads = createHeadRefusals(createMemoryBudget(1_000_000), () => now);
  const tag = { kind: 'tag', tag: 'latest' as Tag } as const;
  return {
    heads,
    doubts: (context: RequestContext, status = 401) =>
      heads.doubts(refusal(status), tag, 'to confirm', context),
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test('a login that GET refused, too, is believed for five minutes from the first time', () => {
  const { heads, doubts, wait } = refusals();
  expect(doubts(alice)).toBe(true);
  heads.confirmed(refusal(401), alice);
  expect([doubts(alice), doubts(bob), doubts(alice, 404)]).toEqual([false, true, true]);
  wait(299_999);
  heads.confirmed(refusal(401), alice);
  expect(doubts(alice)).toBe(false);
  wait(1);
  expect(doubts(alice)).toBe(true);
});

test('a refusal other than 401, or of a request without a login, says nothing about a login', () => {
  const { heads, doubts } = refusals();
  heads.confirmed(refusal(403), alice);
  heads.confirmed(refusal(401), anonymous);
  expect([doubts(alice), doubts(anonymous)]).toEqual([true, true]);
});

test('refusals are believed once a HEAD was answered', () => {
  const { heads, doubts } = refusals();
  expect(heads.areDoubtful).toBe(true);
  heads.answered();
  expect([heads.areDoubtful, doubts(alice), doubts(alice, 404)]).toEqual([false, false, false]);
});

test('a 404 of a digest is looked for by a search until a GET has contradicted a HEAD', () => {
  const { heads } = refusals();
  const digest = { kind: 'digest', digest: `sha256:${'0'.repeat(64)}` } as never;
  const tag = { kind: 'tag', tag: 'latest' as Tag } as const;
  expect(heads.doubts(refusal(404), digest, 'to send', alice)).toBe(false);
  expect(heads.doubts(refusal(404), tag, 'to send', alice)).toBe(true);
  expect(heads.doubts(refusal(500), digest, 'to send', alice)).toBe(true);
  expect(heads.doubts(refusal(429), digest, 'to confirm', alice)).toBe(false);
  heads.contradicted();
  expect(heads.doubts(refusal(404), digest, 'to send', alice)).toBe(true);
  expect(heads.doubts(refusal(404), digest, 'to read', alice)).toBe(false);
});
