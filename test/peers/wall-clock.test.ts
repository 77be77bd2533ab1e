import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BareWorkerd } from '../support/bare-workerd.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';

const latest = '/v2/sample/oci/manifests/latest';
const hour = 3_600;

/** The library behind the program `faketime`, where Debian has it. */
const [library = ''] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');

/**
 * The process reads the wall clock through libfaketime, and the monotonic clock of the machine. libfaketime reads the
 * offset from a file at each reading of the clock (its README, "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE").
 */
describe.skipIf(requirePeers('faketime'))('a process whose wall clock is moved', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-wall-clock-'));
  const offset = join(folder, 'offset');
  let upstream: SampleServer;
  let proxy: BareWorkerd;

  const setWallClock = (seconds: number) => writeFileSync(offset, seconds < 0 ? `${seconds}` : `+${seconds}`);

  async function start(ttl: number): Promise<void> {
    setWallClock(0);
    proxy = await startNodeProcess({
      REGSHIFT_UPSTREAM: upstream.url,
      REGSHIFT_TAG_TTL: String(ttl),
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    });
  }

  /** @returns the requests to upstream that a pull of the manifest caused, and the process's own time. */
  async function pull(): Promise<{ readonly asked: number; readonly date: number }> {
    const before = upstream.requests.length;
    const headers = [...manifestRequestHeaders['Docker 1.9.1']].map(
      ([name, value]) => [name, value] as const,
    );
    const response = await fetch(`http://127.0.0.1:${proxy.port}${latest}`, {
      headers: Object.fromEntries(headers),
    });
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    const date = Date.parse(response.headers.get('date') ?? '');
    return { asked: upstream.requests.length - before, date };
  }

  beforeAll(async () => {
    upstream = await startSampleServer();
  });
  afterAll(async () => {
    await upstream.stop();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['back by an hour, asks upstream again after the TTL', 3, -hour, 3_100, [0, 1]],
    ['back by an hour, asks upstream each time without a TTL', 0, -hour, 1_100, [1, 1]],
    ['forward by an hour, asks upstream at once', 600, hour, 1_100, [0, 1]],
  ] as const)('%s', async (_name, ttl, seconds, passes, asked) => {
    await start(ttl);
    try {
      await pull();
      const again = await pull();
      setWallClock(seconds);
      await sleep(passes);
      const moved = await pull();
      // The header shows that the process has the moved clock.
      expect(Math.abs(moved.date - again.date - seconds * 1_000)).toBeLessThan(60_000);
      expect([again.asked, moved.asked]).toEqual(asked);
    } finally {
      await proxy.stop();
    }
  });
});
