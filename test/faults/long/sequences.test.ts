import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { requirePeers } from '../../support/programs.ts';
import { type RunReport, runSequence, type Sequence, SequenceFailure } from '../../support/sequences/run.ts';
import { anySettings, createPeers } from '../../support/sequences/settings.ts';
import { shrunk } from '../../support/sequences/shrink.ts';
import { anySteps } from '../../support/sequences/steps.ts';

/** Of the first sequence; the next one has the next number. */
const firstSeed = Number(process.env.SEQUENCES_SEED ?? 200_049);
/** Time for all sequences; one that fails has a minute more to become short. */
const seconds = Number(process.env.SEQUENCES_SECONDS ?? 40);
/** The short run has the same sequences each time; a long one goes on to others. */
const most = process.env.SEQUENCES_SECONDS === undefined ? 60 : Number.POSITIVE_INFINITY;
const shrinkSeconds = 60;

const anySequence: fc.Arbitrary<Sequence> = fc.noBias(fc.record({ settings: anySettings, steps: anySteps }));

describe.skipIf(requirePeers('docker-registry', 'redis-server'))('random sequences of requests', () => {
  const peers = createPeers();
  const report: RunReport = { requests: 0, rules: {} };
  afterAll(() => peers.stop());

  async function failureOfRun(sequence: Sequence): Promise<SequenceFailure | undefined> {
    try {
      await runSequence(sequence, peers, report);
      return undefined;
    } catch (error) {
      if (error instanceof SequenceFailure) return error;
      throw error;
    }
  }

  async function expectAlike(seed: number): Promise<void> {
    const [sequence] = fc.sample(anySequence, { seed, numRuns: 1 });
    if (sequence === undefined) throw new Error('no sequence');
    const failure = await failureOfRun(sequence);
    if (failure === undefined) return;
    const first = {
      ...sequence,
      steps: sequence.steps.slice(0, failure.stepsRun),
      message: failure.message,
    };
    const end = performance.now() + shrinkSeconds * 1_000;
    const { settings, steps, message } = await shrunk(
      first,
      async (each) => (await failureOfRun(each))?.message,
      end,
    );
    throw new Error(
      `a registry and regshift in front of an equal one differ; SEQUENCES_SEED=${seed} runs it again\n` +
        `${[settings, ...steps].map((each) => JSON.stringify(each)).join('\n')}\n${message}`,
    );
  }

  it(
    `get the same from a registry and through regshift (seeds from ${firstSeed})`,
    async () => {
      const end = performance.now() + seconds * 1_000;
      let seed = firstSeed;
      try {
        for (; performance.now() < end && seed < firstSeed + most; seed += 1) await expectAlike(seed);
      } finally {
        console.log({ firstSeed, sequences: seed - firstSeed, ...report });
      }
      // A run in which nothing went out would else pass.
      expect(report.requests).toBeGreaterThan(100);
    },
    (seconds + shrinkSeconds + 60) * 1_000,
  );
});
