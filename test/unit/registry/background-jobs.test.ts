import { expect, it } from 'vitest';
import { createBackgroundJobs } from '../../../src/registry/background-jobs.ts';
import type { RequestContext } from '../../../src/upstream/request-context.ts';
import { testMemory } from '../../support/memory.ts';
import { settled } from '../../support/settled.ts';

const longestMs = 10_000;
const never = () => new Promise<boolean>(() => undefined);
const context = { credential: { kind: 'none' }, requester: () => 'anyone' } as unknown as RequestContext;

function jobsAt(time: { now: number }) {
  return createBackgroundJobs({
    longestMs,
    memory: testMemory(),
    background: () => undefined,
    clock: () => time.now,
  });
}

it('jobs that a runtime has ended give their places back after the time of a job', async () => {
  const time = { now: 0 };
  const jobs = jobsAt(time);
  for (const key of ['a', 'b', 'c', 'd']) jobs.start(key, context, never);
  let ran: string[] = [];
  const run = (key: string) =>
    jobs.start(key, context, async () => {
      ran.push(key);
      return true;
    });
  run('e');
  run('a');
  await settled();
  expect(ran).toEqual([]);
  time.now = longestMs + 1;
  run('e');
  run('a');
  await settled();
  expect(ran).toEqual(['e', 'a']);
  ran = [];
  run('a');
  await settled();
  expect(ran).toEqual(['a']);
});
