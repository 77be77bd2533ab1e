import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryOf } from '../../../support/bare-workerd.ts';
import { startArguments, startNodeProcess } from '../../../support/node-process.ts';
import { projectRoot } from '../../../support/wrangler.ts';

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');

test('the deployments start regshift with the flags of `npm start`', () => {
  const [program, ...flags] = startArguments()
    .filter((each) => each !== 'serve')
    .toReversed();
  expect(program).toBe('src/start.js');
  // They start the package, where the file for it has this name.
  const words = [...flags.toReversed(), 'bin/start.js'];
  expect(read('deploy/systemd/regshift.service')).toContain(`/usr/bin/node ${words.join(' ')} serve\n`);
  const quoted = words.map((each) => `"${each}"`).join(', ');
  expect(read('deploy/docker/Dockerfile')).toContain(`ENTRYPOINT ["/nodejs/bin/node", ${quoted}]\n`);
});

/** Node 22 strips types at each start. */
const keepsStripped = Number.parseInt(process.versions.node, 10) >= 24;

test.runIf(process.platform === 'linux' && keepsStripped)(
  'a second start does not load the code that strips types',
  { timeout: 60_000 },
  async () => {
    const variables = { REGSHIFT_UPSTREAM: 'http://127.0.0.1:9' };
    const first = await startNodeProcess(variables);
    await first.stop();
    const { pid, stop } = await startNodeProcess(variables);
    const idle = memoryOf(pid);
    await stop();
    // A second start takes 91 MiB; with the code that strips types it takes 104.
    expect(idle).toBeLessThan(98);
  },
);
