import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareWorkerd, startBareWorkerd } from '../support/bare-workerd.ts';
import { type Listening, listen } from '../support/listen.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';

const source = join(import.meta.dirname, '../support/refused-upload/main.go');
const megabytes = 50;
/** The fault showed in about one upload of six. */
const uploads = 15;

describe.skipIf(requirePeers('go'))(
  'a layer that the registry refuses at once (416), sent by a client of Go',
  () => {
    let home: string;
    let registry: Listening;
    let proxy: RunningProxy;
    let worker: BareWorkerd;
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'regshift-refused-uploads-'));
      await runProgram('go', ['build', '-o', join(home, 'upload'), source], home);
      const body = '{"errors":[{"code":"RANGE_INVALID","message":"the upload has another length"}]}';
      const headers = { 'content-type': 'application/json', 'content-length': body.length, range: '0-9' };
      registry = await listen(
        createServer((request, response) => {
          if (request.method === 'PATCH') response.writeHead(416, headers).end(body);
          else response.end('{}');
        }),
      );
      proxy = await startProxy(registry.url);
      worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url });
    }, 120_000);
    afterAll(async () => {
      await worker?.stop();
      await proxy?.stop();
      await registry?.stop();
      await rm(home, { recursive: true, force: true });
    });

    it.each([
      ['straight', () => registry.url],
      ['through Node', () => `http://127.0.0.1:${proxy.port}`],
      ['through workerd', () => `http://127.0.0.1:${worker.port}`],
    ])('is refused as by the registry: %s', { timeout: 120_000 }, async (_, url) => {
      const outcomes = new Set<string>();
      for (let each = 0; each < uploads; each += 1) {
        const length = each % 2 === 0 ? ['known'] : [];
        const args = [`${url()}/v2/team/app/blobs/uploads/u1`, String(megabytes * 1_000_000), ...length];
        outcomes.add(await runProgram(join(home, 'upload'), args, home));
      }
      expect([...outcomes]).toEqual(['416 true <nil>']);
    });
  },
);
