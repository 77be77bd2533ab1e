import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Answer } from '../support/app.ts';
import { testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const docker113 = manifestRequestHeaders['Docker 1.13.1'];

const madeUp = (number: number) => `sha256:${number.toString(16).padStart(64, '0')}`;
const pathOf = (number: number, repository = 'team/app') => `/v2/${repository}/manifests/${madeUp(number)}`;

/** So many tags that a search resolves several batches of them. */
const tags = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`1.${index}`, 'sample/oci']));
const team = manyTags('team/app', tags);

const lists = (asked: readonly string[]) => asked.filter((each) => each.endsWith('/tags/list'));
const tagHeads = (asked: readonly string[]) => asked.filter((each) => /^HEAD .*manifests\/1\./.test(each));

const isTagHead = ({ method }: Request, { pathname }: URL) =>
  method === 'HEAD' && pathname.includes('/manifests/1.');

/** @returns the script, but every HEAD of a tag waits at the gate. */
function slow(script: Script, pass: () => Promise<void>): Script {
  return async (request, url) => {
    if (isTagHead(request, url)) await pass();
    return script(request, url);
  };
}

const codes = (responses: readonly Answer[]) => responses.map(({ status }) => status);

describe('40 concurrent requests for unknown digests', () => {
  it('walk the tags once within 30 s; the other requests then get 503 with Retry-After, not a wrong 404', async () => {
    const gate = createGate();
    const upstream = scriptedUpstream(slow(team, gate.pass));
    const app = testApp({}, upstream.fetch);
    const answers: Answer[] = [];
    const asking = Array.from({ length: 40 }, async (_, number) => {
      answers.push(await app.get(pathOf(number), docker113));
    });
    await vi.waitFor(() => expect(gate.waiting).toBe(6));
    // All others are in the line by then, on a machine that is busy too.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    app.advance(31);
    await vi.waitFor(() => expect(answers).toHaveLength(39), 10_000);
    expect(new Set(codes(answers))).toEqual(new Set([503]));
    for (const answer of answers) {
      expect(Number(answer.header('Retry-After'))).toBeGreaterThan(0);
      expect(answer.error().code).toBe('UNAVAILABLE');
      expect(answer.error().message).toContain('the search in team/app had no turn within 30 s');
    }
    expect(lists(upstream.asked)).toHaveLength(1);
    gate.open();
    await Promise.all(asking);
    expect(answers.at(-1)?.status).toBe(404);
    expect(tagHeads(upstream.asked)).toHaveLength(40);
    expect(lists(upstream.asked)).toHaveLength(1);
  });

  it('for one digest share one walk per login', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({}, upstream.fetch);
    const ask = (headers: typeof docker113) => Array.from({ length: 20 }, () => app.get(pathOf(1), headers));
    const responses = await Promise.all([...ask(docker113), ...ask([...docker113, alice])]);
    expect(new Set(codes(responses))).toEqual(new Set([404]));
    expect(lists(upstream.asked)).toHaveLength(2);
  });
});

describe('REGSHIFT_WALK_TAGS', () => {
  it('is the most tags that a search resolves, those that were requested recently among them', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({ REGSHIFT_TAG_TTL: '0', REGSHIFT_WALK_TAGS: '5' }, upstream.fetch);
    const recent = ['1.37', '1.38', '1.39'];
    for (const tag of recent) await app.get(`/v2/team/app/manifests/${tag}`, docker113);
    upstream.forget();
    expect((await app.get(pathOf(1), docker113)).status).toBe(404);
    const resolved = tagHeads(upstream.asked).map((each) => each.replace(/.*\//, ''));
    expect(resolved.toSorted()).toEqual(['1.0', '1.1', ...recent]);
  });
});

describe('a walk without cached tags (REGSHIFT_TAG_TTL=0)', () => {
  it('resolves each tag once', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    expect((await app.get(pathOf(1), docker113)).status).toBe(404);
    expect(tagHeads(upstream.asked).toSorted()).toEqual(
      Object.keys(tags)
        .map((tag) => `HEAD /v2/team/app/manifests/${tag}`)
        .toSorted(),
    );
  });

  it('happens three times in half a minute for a client that requests unknown digests, and again after that', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    for (let number = 0; number < 20; number += 1) {
      expect((await app.get(pathOf(number), docker113)).status).toBe(404);
    }
    expect(lists(upstream.asked)).toHaveLength(3);
    expect(tagHeads(upstream.asked)).toHaveLength(120);
    app.advance(31);
    await app.get(pathOf(99), docker113);
    expect(lists(upstream.asked)).toHaveLength(4);
  });

  it('names no content of an earlier walk to a client that has no right to it any more', async () => {
    let state: 'wrong' | 'refused' | 'broken' = 'wrong';
    const upstream = scriptedUpstream(async (request, url) => {
      const { pathname } = url;
      if (state === 'broken' && pathname.includes('/blobs/')) return new Response(null, { status: 503 });
      if (state !== 'wrong') return Response.json({ errors: [{ code: 'NAME_UNKNOWN' }] }, { status: 404 });
      return pathname.includes('/blobs/') ? new Response('{}') : team(request, url);
    });
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    for (let number = 0; number < 3; number += 1) await app.get(pathOf(number), docker113);
    for (const [number, later] of (['refused', 'broken'] as const).entries()) {
      state = later;
      upstream.forget();
      const answer = await app.get(pathOf(9 + number), docker113);
      const config = upstream.asked.map((each) => /^GET .*blobs\/(.*)/.exec(each)?.[1]).find(Boolean);
      expect(config).toBeDefined();
      expect(answer.text()).not.toContain(config);
      expect(answer.status).toBe(later === 'refused' ? 404 : 503);
    }
  });

  it('does not begin anew by writes whose responses are lost', async () => {
    const upstream = scriptedUpstream((request, url) =>
      request.method === 'DELETE' ? new Response(null, { status: 503 }) : team(request, url),
    );
    const app = testApp({}, upstream.fetch);
    for (let number = 0; number < 6; number += 1) {
      await app.get(pathOf(number), docker113);
      await app.send('DELETE', '/v2/team/app/manifests/none');
    }
    expect(lists(upstream.asked)).toHaveLength(3);
  });

  it('is not needed for a digest that the last walk makes derivable', async () => {
    const docker19 = manifestRequestHeaders['Docker 1.9.1'];
    const onArm64 = docker19.map(
      ([name, value]) => [name, value.replace('arch/amd64', 'arch/arm64')] as const,
    );
    const indexes = manyTags('team/app', { latest: 'sample/index' });
    const path = '/v2/team/app/manifests';
    const other = testApp({}, scriptedUpstream(indexes).fetch);
    const digest = (await other.get(`${path}/latest`, onArm64)).header('Docker-Content-Digest');
    const stored = await other.get(`${path}/latest`, { Accept: '*/*' });
    const root = stored.header('Docker-Content-Digest');
    const upstream = scriptedUpstream(indexes);
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    // Pulled by digest, so that the tag is not among those that this replica served recently.
    const index = await app.get(`${path}/${root}`, { Accept: '*/*' });
    for (const child of JSON.parse(index.text()).manifests as { digest: string }[])
      await app.get(`${path}/${child.digest}`, { Accept: '*/*' });
    for (let number = 0; number < 3; number += 1) await app.get(pathOf(number), docker19);
    upstream.forget();
    const response = await app.get(`${path}/${digest}`, onArm64);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
    expect(lists(upstream.asked)).toEqual([]);
  });
});

describe('a client without searches left', () => {
  it('does not reduce the searches of another login', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    for (let number = 0; number < 5; number += 1) await app.get(pathOf(number), docker113);
    upstream.forget();
    expect((await app.get(pathOf(9), [...docker113, alice])).status).toBe(404);
    expect(lists(upstream.asked)).toHaveLength(1);
  });

  it('gets no more with invented logins: one address has twelve searches', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const responses: Answer[] = [];
    for (let number = 0; number < 16; number += 1) {
      const login = ['Authorization', `Basic ${btoa(`nobody${number}:x`)}`] as const;
      responses.push(await app.get(pathOf(number), [...docker113, login]));
    }
    expect(codes(responses)).toEqual([...Array<number>(12).fill(404), ...Array<number>(4).fill(503)]);
    expect(responses.at(-1)?.header('Retry-After')).toBe('30');
    expect(responses.at(-1)?.error().message).toContain(
      'Too many digests or ids that team/app does not have',
    );
    expect(lists(upstream.asked)).toHaveLength(12);
  });
});

describe('searches in many repositories', () => {
  const names = Array.from({ length: 10 }, (_, index) => `team/app${index}`);
  const scripts = names.map((name) => manyTags(name, tags));
  const all: Script = async (request, url) => {
    for (const script of scripts) {
      const response = await script(request, url);
      if (response) return response;
    }
    return undefined;
  };

  it('run four at once in the whole process', async () => {
    const gate = createGate();
    const upstream = scriptedUpstream(slow(all, gate.pass));
    const app = testApp({}, upstream.fetch);
    const asking = names.map((name, number) => app.get(pathOf(number, name), docker113));
    await vi.waitFor(() => expect(gate.waiting).toBe(24));
    // A fifth search would have started within this time.
    await settled(100);
    expect(lists(upstream.asked)).toHaveLength(4);
    gate.open();
    expect(new Set(codes(await Promise.all(asking)))).toEqual(new Set([404]));
    expect(lists(upstream.asked)).toHaveLength(10);
  });
});

describe('a search without progress', () => {
  it('loses its place to the next one, and sends nothing more to upstream', async () => {
    const gate = createGate();
    let isStuck = true;
    const pass = () => (isStuck ? gate.pass() : Promise.resolve());
    const upstream = scriptedUpstream(slow(team, pass));
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const stuck = app.get(pathOf(1), docker113);
    await vi.waitFor(() => expect(gate.waiting).toBe(6));
    isStuck = false;
    app.advance(15);
    // Another login, whose requests are not merged with the waiting ones.
    const next = app.get(pathOf(2), [...docker113, alice]);
    app.advance(6);
    expect((await next).status).toBe(404);
    upstream.forget();
    gate.open();
    const response = await stuck;
    expect(response.status).toBe(503);
    expect(response.error().message).toContain('made no progress for 20 s');
    expect(upstream.asked).toEqual([]);
  });
});

describe('a search that waits for the content of one image for long', () => {
  it('keeps its place meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const zstd = manyTags('team/app', { latest: 'sample/oci-zstd' });
    const path = '/v2/team/app/manifests';
    const made = await testApp({}, scriptedUpstream(zstd).fetch).get(`${path}/latest`, docker113);
    const digest = made.header('Docker-Content-Digest');
    const gate = createGate();
    const upstream = scriptedUpstream(async (request, url) => {
      if (request.method === 'GET' && url.pathname.includes('/blobs/')) await gate.pass();
      return zstd(request, url);
    });
    const app = testApp({}, upstream.fetch);
    const first = app.get(`${path}/${digest}`, docker113);
    await vi.waitFor(() => expect(gate.waiting).toBe(1));
    const next = app.get(pathOf(2), [...docker113, alice]);
    for (let times = 0; times < 4; times += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      app.advance(6);
      vi.advanceTimersByTime(5_000);
    }
    gate.open();
    expect((await first).header('Docker-Content-Digest')).toBe(digest);
    expect((await next).status).toBe(404);
  });
});

describe('a client that disconnects', () => {
  async function searching() {
    const gate = createGate();
    const upstream = scriptedUpstream(slow(team, gate.pass));
    const app = testApp({}, upstream.fetch);
    const leave = new AbortController();
    const left = app.send('GET', pathOf(1), docker113, { signal: leave.signal }).catch(() => undefined);
    await vi.waitFor(() => expect(gate.waiting).toBe(6));
    return { gate, upstream, app, leave: () => leave.abort(), left };
  }

  it('ends its search', async () => {
    const { gate, upstream, app, leave, left } = await searching();
    leave();
    await left;
    gate.open();
    expect((await app.get(pathOf(2), docker113)).status).toBe(404);
    // Six requests were in flight.
    expect(tagHeads(upstream.asked).length).toBeLessThanOrEqual(6 + 40);
    expect(lists(upstream.asked)).toHaveLength(2);
    expect(tagHeads(upstream.asked)).toHaveLength(40);
  });

  it('ends its search while that waits for the content of an image, so that the next search has its turn', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const zstd = manyTags('team/app', { latest: 'sample/oci-zstd' });
    const gate = createGate();
    let isStuck = true;
    const upstream = scriptedUpstream(async (request, url) => {
      if (isStuck && request.method === 'GET' && url.pathname.includes('/blobs/')) await gate.pass();
      return zstd(request, url);
    });
    const app = testApp({}, upstream.fetch);
    const leave = new AbortController();
    const left = app.send('GET', pathOf(1), docker113, { signal: leave.signal }).catch(() => undefined);
    await vi.waitFor(() => expect(gate.waiting).toBe(1));
    isStuck = false;
    leave.abort();
    await left;
    const next = app.get(pathOf(2), docker113);
    await vi.waitFor(() => expect(upstream.asked.some((each) => each.includes(madeUp(2)))).toBe(true));
    await settled();
    vi.advanceTimersByTime(1_000);
    expect((await next).status).toBe(404);
    expect(gate.waiting).toBe(1);
    gate.open();
  });

  it('does not end the search of another client that waits for the same digest', async () => {
    const { gate, upstream, app, leave, left } = await searching();
    const other = app.get(pathOf(1), docker113);
    await settled();
    leave();
    await left;
    gate.open();
    expect((await other).status).toBe(404);
    expect(lists(upstream.asked)).toHaveLength(1);
    expect(tagHeads(upstream.asked)).toHaveLength(40);
  });

  it('leaves the queue too', async () => {
    const { gate, upstream, app, left } = await searching();
    const second = new AbortController();
    const waiting = app.send('GET', pathOf(2), docker113, { signal: second.signal }).catch(() => undefined);
    await vi.waitFor(() => expect(upstream.asked.some((each) => each.includes(madeUp(2)))).toBe(true));
    await settled();
    second.abort();
    await waiting;
    gate.open();
    expect((await left)?.status).toBe(404);
    expect((await app.get(pathOf(3), docker113)).status).toBe(404);
    expect(lists(upstream.asked)).toHaveLength(2);
  });
});
