import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BareWorkerd, startBareWorkerd } from './bare-workerd.ts';
import { startNodeProcess } from './node-process.ts';
import { bundleWorker } from './wrangler.ts';

/** Starts an example, with the sources of the package. @param variables the settings of an operator. */
export type StartExample = (variables: Record<string, string>) => Promise<BareWorkerd>;

export interface Example {
  readonly start: StartExample;
  /** Removes the files of the example. Processes that run do not need them. */
  remove(): Promise<void>;
}

/** Prepares an app of examples/embedded for Node. */
export async function exampleOnNode(file = 'node.ts'): Promise<Example> {
  const argv = [`examples/embedded/${file}`];
  return {
    start: (variables) => startNodeProcess(variables, 25, undefined, argv),
    remove: async () => undefined,
  };
}

/** Prepares a Worker of examples/embedded for workerd. It is bundled once. */
export async function exampleOnWorkerd(file = 'worker.ts'): Promise<Example> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-embedded-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const bundle = await bundleWorker(directory, `examples/embedded/${file}`);
    return { start: (variables) => startBareWorkerd(variables, bundle), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
