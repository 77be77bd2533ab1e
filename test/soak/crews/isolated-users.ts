import { lifetimes } from '../../support/isolation/proxies.ts';
import { runIsolation } from '../../support/isolation/run.ts';
import type { Crew } from './crew.ts';

/** Users with changing rights and failing registries. An oracle knows the allowed responses to each request. */
export async function runIsolatedUsers({ seed, ports, world, tally, signal }: Crew): Promise<void> {
  const { violations } = await runIsolation(world, {
    ...{ seed, ports, signal, requests: Number.POSITIVE_INFINITY, replicas: ports.length, ...lifetimes },
    onAnswer({ ask: { kind, method, path, reference }, answer }) {
      const what = reference?.startsWith('sha256:') ? `${kind} by digest` : kind;
      tally.count(
        typeof answer === 'string' ? what : kind,
        typeof answer === 'string' ? answer : answer.status,
      );
      if (typeof answer !== 'string') tally.checkRefusal(method, path, answer);
    },
  });
  for (const violation of violations) tally.addWrong(violation);
}
