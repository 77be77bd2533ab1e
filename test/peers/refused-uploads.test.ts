import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareWorkerd, startBareWorkerd } from '../support/bare-workerd.ts';
import type { Listening } from '../support/listen.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { refusals, startRefusingRegistry } from '../support/refusing-registry.ts';

const source = join(import.meta.dirname, '../support/refused-upload/main.go');
const bytes = 50_000_000;
/** The connection broke in about one upload of eight. */
const uploads = 30;

describe.skipIf(requirePeers('go'))('a layer that is refused at once, sent by a client of Go', () => {
  let home: string;
  let registry: Listening;
  let proxy: RunningProxy;
  let worker: BareWorkerd;
  let readOnly: BareWorkerd;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-refused-uploads-'));
    await runProgram('go', ['build', '-o', join(home, 'upload'), source], home);
    registry = await startRefusingRegistry();
    proxy = await startProxy(registry.url);
    worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url });
    readOnly = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url, REGSHIFT_PUSH: 'refuse' });
  });
  afterAll(async () => {
    await readOnly?.stop();
    await worker?.stop();
    await proxy?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** The different outcomes of many uploads, half of them with a Content-Length. */
  async function outcomes(url: string, refusal: string): Promise<string[]> {
    const found = new Set<string>();
    for (let each = 0; each < uploads; each += 1) {
      const length = each % 2 === 0 ? ['known'] : [];
      const args = [`${url}/v2/team/app/blobs/uploads/${refusal}`, String(bytes), ...length];
      found.add(await runProgram(join(home, 'upload'), args, home));
    }
    return [...found];
  }

  describe.each([
    ['straight', () => registry.url],
    ['through Node', () => `http://127.0.0.1:${proxy.port}`],
    ['through workerd', () => `http://127.0.0.1:${worker.port}`],
  ] as const)('%s', (_, url) => {
    it.each(refusals)('by a registry that %s', async (refusal) => {
      expect(await outcomes(url(), refusal)).toEqual(['416 true <nil>']);
    });
  });

  it('by the Worker itself', async () => {
    expect(await outcomes(`http://127.0.0.1:${readOnly.port}`, 'reads-on')).toEqual(['405 true <nil>']);
  });
});
