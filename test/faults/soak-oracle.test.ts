import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { complaintsOf } from '../soak/report.ts';
import { growthComplaints, type Resources } from '../soak/resources.ts';
import type { SoakReport } from '../soak/soak.ts';
import { Tally, wrongBytes } from '../soak/tally.ts';

const encoder = new TextEncoder();

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  const given = new Headers(headers);
  return { status, body: encoder.encode(body), header: (name: string) => given.get(name) };
}

const flat: Resources = { megabytes: 120, descriptors: 60, handles: 50 };
const tenths = (grow: (part: number) => Partial<Resources>): Resources[] =>
  Array.from({ length: 10 }, (_, part) => ({ ...flat, ...grow(part) }));

function report(change: Partial<SoakReport['replicas'][number]>, seconds = 1_800): SoakReport {
  const replica = {
    name: 'plain',
    idle: flat,
    tenths: tenths(() => ({})),
    settled: flat,
    heap: [0, 0] as const,
  };
  return { seconds, requests: 1, outcomes: {}, wrong: [], silent: [], replicas: [{ ...replica, ...change }] };
}

describe('the oracle of the soak', () => {
  it.each([
    ['an empty body', ''],
    ['HTML', '<h1>no</h1>'],
    ['an error without a message', '{"errors":[{"code":"DENIED"}]}'],
    ['an error with an empty message', '{"errors":[{"code":"DENIED","message":" "}]}'],
    ['no error', '{"errors":[]}'],
  ])('misses the reason of a refusal with %s', (_, body) => {
    const tally = new Tally();
    tally.checkRefusal('GET', '/v2/a/manifests/1', answer(403, body));
    expect(tally.silent).toHaveLength(1);
  });

  it.each([
    ['GET', answer(403, '{"errors":[{"code":"DENIED","message":"no right"}]}')],
    ['GET', answer(404, '{"error":"no image"}')],
    ['HEAD', answer(404, '')],
    ['GET', answer(416, '', { 'Content-Range': 'bytes */5' })],
    ['GET', answer(200, '')],
  ])('finds the reason of a refusal (%s, %o)', (method, given) => {
    const tally = new Tally();
    tally.checkRefusal(method, '/v2/a/manifests/1', given);
    expect([tally.silent, tally.wrong]).toEqual([[], []]);
  });

  it('reports a failure of the program', () => {
    const tally = new Tally();
    const message = 'regshift could not answer this request; its log says why.';
    tally.checkRefusal(
      'GET',
      '/v2/',
      answer(500, JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] })),
    );
    expect(tally.wrong).toHaveLength(1);
  });

  it('reports bytes of another digest', () => {
    const digest = digestOf(encoder.encode('right'));
    const path = `/v2/a/blobs/${digest}`;
    expect(wrongBytes('GET', path, answer(200, 'right'))).toBeUndefined();
    expect(wrongBytes('GET', path, answer(200, 'wrong'))).toContain(digest);
    expect(
      wrongBytes('GET', '/v2/a/manifests/1', answer(200, 'wrong', { 'Docker-Content-Digest': digest })),
    ).toContain(digest);
  });

  it('reports each figure that grows in the last half, and none that is flat or grew before', () => {
    expect(
      growthComplaints(
        'plain',
        tenths((part) => ({ handles: 50 + (part % 2) * 20 })),
      ),
    ).toEqual([]);
    expect(
      growthComplaints(
        'plain',
        tenths((part) => ({ megabytes: 100 + Math.min(part, 5) * 20 })),
      ),
    ).toEqual([]);
    for (const name of ['megabytes', 'descriptors', 'handles'] as const) {
      const grown = growthComplaints(
        'plain',
        tenths((part) => ({ [name]: flat[name] + part * 8 })),
      );
      expect(grown).toEqual([expect.stringContaining(`${name} of plain grow by 32.0`)]);
      expect(complaintsOf(report({ tenths: tenths((part) => ({ [name]: flat[name] + part * 8 })) }))).toEqual(
        grown,
      );
    }
  });

  it('reports what is left over once the load has ended', () => {
    expect(complaintsOf(report({}))).toEqual([]);
    expect(complaintsOf(report({ settled: { ...flat, descriptors: 80 } }))).toEqual([
      '20 descriptors of plain are left over',
    ]);
    expect(complaintsOf(report({ settled: { ...flat, handles: 80 } }))).toEqual([
      '30 handles of plain are left over',
    ]);
    expect(complaintsOf(report({ heap: [0, 30 * 2 ** 20] }))).toEqual(['the heap of plain grew by 30.0 MiB']);
  });
});
