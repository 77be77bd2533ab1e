import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuTime } from '../bench/measure.ts';
import { type BareWorkerd, startBareWorkerd } from '../support/bare-workerd.ts';
import type { Listening } from '../support/listen.ts';
import { refusals, refusalText, startRefusingRegistry } from '../support/refusing-registry.ts';
import { bundleWorker } from '../support/wrangler.ts';

const uploads = '/v2/team/app/blobs/uploads';

/** A Worker that passes each body on, and does nothing else. */
const plainWorker =
  'export default { fetch: ({ method, url, headers, body }, { UPSTREAM }) => ' +
  "url.endsWith('/healthz') ? new Response() : " +
  'fetch(UPSTREAM + new URL(url).pathname, { method, headers, body }) }';

describe('a refused upload on workerd', () => {
  let registry: Listening;
  let worker: BareWorkerd;
  let readOnly: BareWorkerd;
  let plain: BareWorkerd;
  const home = mkdtempSync(join(tmpdir(), 'regshift-refused-'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  beforeAll(async () => {
    registry = await startRefusingRegistry();
    const bundle = await bundleWorker(join(home, 'bundle'));
    worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url }, bundle);
    readOnly = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url, REGSHIFT_PUSH: 'refuse' }, bundle);
    writeFileSync(join(home, 'plain.js'), plainWorker);
    plain = await startBareWorkerd({ UPSTREAM: registry.url }, join(home, 'plain.js'));
  }, 60_000);
  afterAll(async () => {
    agent.destroy();
    await plain?.stop();
    await readOnly?.stop();
    await worker?.stop();
    await registry?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /**
   * Sends the head of a `PATCH` with a part of its body.
   * @param reads 'after' for a client that reads when all of the part is sent.
   * @returns the response as text, with the milliseconds from the request to its last byte and to the close.
   */
  function refusedPatch(port: number, name: string, sent: number, reads: 'at once' | 'after') {
    const started = performance.now();
    const socket = connect(port, '127.0.0.1');
    const head = ['PATCH', `${uploads}/${name}`, 'HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n'];
    let text = '';
    let last = 0;
    let failed: string | undefined;
    socket.write(head.join(' '));
    socket.write(Buffer.alloc(sent), () => socket.resume());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      last = performance.now() - started;
    });
    if (reads === 'after') socket.pause();
    socket.on('error', (error) => {
      failed = error.message;
    });
    return new Promise<{ text: string; last: number; closed: number; failed: string | undefined }>(
      (resolve) => {
        socket.on('close', () => resolve({ text, last, closed: performance.now() - started, failed }));
      },
    );
  }

  it.each(refusals)('reaches a client that stops writing at once, and has a length: %s', async (refusal) => {
    const { text, last, closed } = await refusedPatch(worker.port, refusal, 1_000_000, 'at once');
    const [head, body] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 416 /);
    expect(head).toMatch(new RegExp(`\r\nContent-Length: ${refusalText(refusal).length}(\r\n|$)`, 'i'));
    expect(head).not.toMatch(/transfer-encoding/i);
    expect(body).toBe(refusalText(refusal));
    expect(last / closed).toBeLessThan(0.5);
  });

  it.each([
    ['the Worker', 405, () => readOnly],
    ['a registry that reads on', 416, () => worker],
  ] as const)('reaches a client that first writes 20 MB: by %s', async (_, status, server) => {
    for (let each = 0; each < 5; each += 1) {
      const { text, failed } = await refusedPatch(server().port, 'reads-on', 20_000_000, 'after');
      // A body on its way to a registry is not read further by the Worker.
      if (status === 405) expect(failed).toBeUndefined();
      expect(text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    }
  });

  /** Sends bodies on one connection. @returns the statuses. */
  async function patch(port: number, name: string, size: number, withLength: boolean): Promise<number> {
    const path = `${uploads}/${name}`;
    const headers = withLength ? { 'content-length': size } : {};
    const sending = request({ port, host: '127.0.0.1', method: 'PATCH', path, agent, headers });
    const answered = new Promise<number>((resolve, reject) => {
      sending.on('error', reject);
      sending.on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
    });
    const piece = Buffer.alloc(1_000_000);
    await pipeline(Readable.from(pieces(piece, size)), sending);
    return answered;
  }

  function* pieces(piece: Uint8Array, size: number): Generator<Uint8Array> {
    for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left);
  }

  it.each([
    ['a length', true],
    ['chunks', false],
  ])('costs an accepted one no more than a plain stream: %s', async (_, withLength) => {
    const cost = async ({ pid, port }: BareWorkerd) => {
      const before = cpuTime(pid);
      expect(await patch(port, 'accepted', 200_000_000, withLength)).toBe(202);
      return cpuTime(pid) - before;
    };
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < 4; round += 1) {
      theirs.push(await cost(plain));
      ours.push(await cost(worker));
    }
    // JavaScript that reads each chunk costs 12 times as much.
    expect(Math.min(...ours) / Math.min(...theirs)).toBeLessThan(2);
  });
});
