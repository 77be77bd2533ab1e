import { expect, it } from 'vitest';
import { complaintsOf, printReport } from '../../soak/report.ts';
import { runSoak } from '../../soak/soak.ts';
import { requirePeers } from '../../support/programs.ts';

const seconds = Number(process.env.SOAK_SECONDS ?? 75);
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 1_000_000_000));

it.skipIf(requirePeers('redis-server', 'openssl'))(
  `${seconds} s of the mixed load have no wrong response and no refusal without a reason (seed ${seed})`,
  async () => {
    const report = await runSoak({ seconds, seed });
    printReport(report);
    expect(complaintsOf(report)).toEqual([]);
    // Each kind of client has had its turn.
    for (const kind of ['manifest 200', 'mixed 200', 'v1-image 200', 'events 202', 'push pulled'])
      expect(report.outcomes[kind], kind).toBeGreaterThan(0);
  },
);
