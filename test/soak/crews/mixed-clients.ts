import { Random } from '../../fuzz/random.ts';
import { mixedRequest, type Named, type Outcomes } from '../../support/mixed/requests.ts';
import { mixedHost } from '../fleet.ts';
import { wrongBytes } from '../tally.ts';
import type { Crew } from './crew.ts';

const clients = 6;

/** Clients of all ages in front of a registry that gives faults to a tenth of its responses. */
export async function runMixedClients({ seed, ports, tally, signal }: Crew): Promise<void> {
  const named: Named = new Map();
  const left: Outcomes = {};
  const client = async (_: unknown, number: number) => {
    const random = new Random(seed + number);
    while (!signal.aborted) {
      const target = { port: random.one(ports), host: mixedHost };
      await mixedRequest(random, { ...target, onAnswer }, named, left);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  for (let count = left.left ?? 0; count > 0; count -= 1) tally.count('mixed', 'left');

  function onAnswer(
    { method, path }: { readonly method: string; readonly path: string },
    answer: Parameters<typeof wrongBytes>[2] | Error,
  ): void {
    if (answer instanceof Error) {
      const isHung = answer.message.includes('no answer within');
      tally.count('mixed', isHung ? 'hung' : 'cut');
      if (isHung) tally.addWrong(answer.message);
      return;
    }
    tally.count('mixed', answer.status);
    tally.checkRefusal(method, path, answer);
    const wrong = wrongBytes(method, path, answer);
    if (wrong) tally.addWrong(wrong);
  }
}
