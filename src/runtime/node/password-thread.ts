import { parentPort } from 'node:worker_threads';
import { compareInPlace } from '../../auth/compare-password.ts';

/** One comparison, with the arguments of `ComparePassword`. */
export interface Comparison {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
  readonly decoys: readonly string[];
}

export interface Compared {
  readonly id: number;
  readonly matches: boolean;
}

parentPort?.on('message', async ({ id, password, hash, decoys }: Comparison) => {
  const matches = await compareInPlace(password, hash, decoys);
  parentPort?.postMessage({ id, matches } satisfies Compared);
});
