import { describe, expect, it, vi } from 'vitest';
import { type Answer, type TestApp, testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { manyTags } from '../support/many-tags.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const tags = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`1.${index}`, 'sample/oci']));
const team = manyTags('team/app', { ...tags, latest: 'sample/schema2' });

const madeUp = (number: number) => number.toString(16).padStart(64, '0');
const tagHeads = (asked: readonly string[]) => asked.filter((each) => /^HEAD .*manifests\/1\./.test(each));

/** @returns the path below which a pull requests ids of team/app. */
async function begin(app: TestApp): Promise<string> {
  const response = await app.get('/v1/repositories/team/app/images');
  const context = response.header('X-Docker-Endpoints')?.split('/').at(-1) ?? '';
  return `/v1ctx/${context}/v1/images`;
}

describe('unknown ids of API v1', () => {
  it('walk the tags one after the other, and get 503 with Retry-After after 30 s', async () => {
    const gate = createGate();
    let isSlow = false;
    const script: Script = async (request, url) => {
      if (isSlow && url.pathname.includes('/manifests/1.')) await gate.pass();
      return team(request, url);
    };
    const upstream = scriptedUpstream(script);
    const app = testApp({}, upstream.fetch);
    const images = await begin(app);
    isSlow = true;
    const answers: Answer[] = [];
    const asking = Array.from({ length: 20 }, async (_, number) => {
      answers.push(await app.get(`${images}/${madeUp(number)}/json`));
    });
    await vi.waitFor(() => expect(gate.waiting).toBeGreaterThan(0));
    // All others are in the line by then, on a machine that is busy too.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    app.advance(31);
    await vi.waitFor(() => expect(answers).toHaveLength(19), 10_000);
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(Number(answer.header('Retry-After'))).toBeGreaterThan(0);
      expect(JSON.parse(answer.text()).error).toContain('the search in team/app had no turn');
    }
    gate.open();
    await Promise.all(asking);
    expect(answers.at(-1)?.status).toBe(404);
    expect(tagHeads(upstream.asked)).toHaveLength(20);
  });

  it('cost three walks in half a minute', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const images = await begin(app);
    upstream.forget();
    const statuses: number[] = [];
    for (let number = 0; number < 10; number += 1) {
      statuses.push((await app.get(`${images}/${madeUp(number)}/json`)).status);
    }
    expect(statuses).toEqual([...Array<number>(3).fill(404), ...Array<number>(7).fill(503)]);
    expect(tagHeads(upstream.asked)).toHaveLength(60);
  });

  it('keep no client waiting whose id is known, or is known to be unknown', async () => {
    const gate = createGate();
    let isSlow = false;
    const upstream = scriptedUpstream(async (request, url) => {
      if (isSlow && url.pathname.includes('/manifests/1.')) await gate.pass();
      return team(request, url);
    });
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const images = await begin(app);
    const known = JSON.parse((await app.get('/v1/repositories/team/app/tags/latest')).text()) as string;
    expect((await app.get(`${images}/${madeUp(1)}/json`)).status).toBe(404);
    isSlow = true;
    const stuck = app.get(`${images}/${madeUp(2)}/json`);
    await vi.waitFor(() => expect(gate.waiting).toBeGreaterThan(0), 10_000);
    const later = (what: Promise<Answer>) =>
      Promise.race([what.then(({ status }) => status), new Promise((resolve) => setTimeout(resolve, 5_000))]);
    expect(await later(app.get(`${images}/${known}/json`))).toBe(200);
    expect(await later(app.get(`${images}/${madeUp(1)}/json`))).toBe(404);
    gate.open();
    expect((await stuck).status).toBe(404);
  });
});
