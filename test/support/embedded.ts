import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BareWorkerd, startBareWorkerd } from './bare-workerd.ts';
import { startNodeProcess } from './node-process.ts';
import { bundleWorker } from './wrangler.ts';

/** Runs examples/embedded/node.ts with the sources of the package. @param variables the settings of an operator. */
export function startExampleOnNode(variables: Record<string, string>): Promise<BareWorkerd> {
  const argv = ['--conditions=regshift-sources', 'examples/embedded/node.ts'];
  return startNodeProcess(variables, 25, undefined, argv);
}

/** Runs examples/embedded/worker.ts in workerd, with the sources of the package. */
export async function startExampleOnWorkerd(variables: Record<string, string>): Promise<BareWorkerd> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-embedded-'));
  try {
    return await startBareWorkerd(variables, await bundleWorker(directory, 'examples/embedded/worker.ts'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
