import { describe, expect, it } from 'vitest';
import { readClientRequest } from '../../../../src/registry/client-request.ts';
import { createManifestBodies } from '../../../../src/registry/push/manifest-bodies.ts';
import { createBudget } from '../../../../src/request/budget.ts';

function pushOf(bytes: number) {
  const body = new Uint8Array(bytes);
  const headers = { 'Content-Length': String(bytes) };
  const request = new Request('http://regshift.test/v2/a/manifests/b', { method: 'PUT', headers, body });
  const begun = { signal: undefined, budget: createBudget(10), asked: undefined };
  return readClientRequest(request, 'http://regshift.test', '', begun);
}

describe('manifests in memory', () => {
  it('are a few where they are large; others are passed on as they come, until one is done with', async () => {
    const bodies = createManifestBodies(() => 0);
    const large = await Promise.all(Array.from({ length: 12 }, () => bodies.read(pushOf(100_000))));
    expect(large.map((body) => body?.bytes.length)).toEqual([
      ...Array.from({ length: 8 }, () => 100_000),
      ...Array.from({ length: 4 }, () => undefined),
    ]);
    expect((await bodies.read(pushOf(65_536)))?.bytes.length).toBe(65_536);
    large[3]?.release();
    large[3]?.release();
    const next = [await bodies.read(pushOf(100_000)), await bodies.read(pushOf(100_000))];
    expect(next.map((body) => body?.bytes.length)).toEqual([100_000, undefined]);
  });

  it('give back the place of work that ended without a word', async () => {
    let now = 0;
    const bodies = createManifestBodies(() => now);
    for (let count = 0; count < 8; count += 1) await bodies.read(pushOf(100_000));
    now = 600_000;
    expect(await bodies.read(pushOf(100_000))).toBeUndefined();
    now += 1;
    expect(await bodies.read(pushOf(100_000))).toBeDefined();
  });

  it('give back the place of what is refused', async () => {
    const bodies = createManifestBodies(() => 0);
    const headers = new Headers({ 'transfer-encoding': 'chunked' });
    const endless = () => ReadableStream.from([new Uint8Array(5_000_000)]);
    const left = () => Promise.reject(new Error('Client connection prematurely closed.'));
    for (let count = 0; count < 20; count += 1) {
      const request = { ...pushOf(100_000), headers, body: endless };
      await expect(bodies.read(request)).rejects.toMatchObject({ code: 'MANIFEST_TOO_LARGE' });
      const brokenOff = { ...pushOf(100_000), wholeBody: left };
      await expect(bodies.read(brokenOff)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    }
    expect(await bodies.read(pushOf(100_000))).toBeDefined();
  });
});
