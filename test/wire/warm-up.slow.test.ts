import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBareWorkerd } from '../support/bare-workerd.ts';
import { bundleWorker } from '../support/wrangler.ts';

it('a Worker answers four requests at its start, where workerd allows no timers and no random values', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'regshift-warm-up-'));
  const worker = await startBareWorkerd({}, await bundleWorker(directory, 'test/workerd/warm-up-worker.ts'));
  try {
    const response = await fetch(`http://127.0.0.1:${worker.port}/`);
    expect(await response.json()).toEqual({ statuses: [200, 200, 200, 200], timer: 'fired' });
  } finally {
    await worker.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
