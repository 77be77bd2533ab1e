import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answered, Ask } from '../support/isolation/ask.ts';
import { createOracle } from '../support/isolation/checks.ts';
import { isFinalRefusal } from '../support/isolation/final-refusals.ts';
import { buildImage, type TestImage } from '../support/isolation/images.ts';
import { secretsIn } from '../support/isolation/logs.ts';
import { marker } from '../support/isolation/markers.ts';
import type { Repository } from '../support/isolation/repository.ts';
import { startWorld, type Upstream, type World } from '../support/isolation/world.ts';
import type { RawResponse } from '../support/raw-http.ts';

const settings = { ttl: 0.1, stale: 1, replicas: 1 };
const owner = 0;
const stranger = 1;

let world: World;
let upstream: Upstream;
let repository: Repository;
let image: TestImage;
let ahead = 0;
/** Advances the clock of the history and of the oracle. */
const pass = (milliseconds: number) => {
  ahead += milliseconds;
};
beforeAll(async () => {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  world = await startWorld(1);
  upstream = world.upstreams[0] as Upstream;
});
afterAll(async () => {
  vi.restoreAllMocks();
  await world.stop();
});
beforeEach(async () => {
  repository = upstream.repositories[7] as Repository;
  image = await buildImage(world.nextImage(), 'schema2');
  world.images.set(image.index, image);
  repository.change({
    readers: new Set([owner]),
    tags: new Map([['latest', image]]),
    images: new Set([image]),
  });
  world.refusedToAll.clear();
  // The oracle looks back less than this.
  pass(10_000);
});

function response(
  status: number,
  body: Uint8Array | string = '',
  headers: Record<string, string> = {},
): RawResponse {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const lines = Object.entries(headers);
  const header = (name: string) => lines.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
  return { status, headers: lines, header, body: bytes };
}

/** The rules that a response breaks, according to the oracle. */
function rulesBroken(ask: Partial<Ask>, answer: Answered['answer']): string[] {
  const path = `/v2/${repository.name}/manifests/latest`;
  const common = {
    kind: 'manifest',
    reference: 'latest',
    method: 'GET',
    path,
    headers: [],
    honest: true,
  } as const;
  const whole: Ask = { ...common, upstream, repository, user: owner, says: ask.user ?? owner, ...ask };
  const now = performance.now();
  return Object.keys(
    createOracle(world, settings)({ ask: whole, start: now - 20, end: now, answer }),
  ).toSorted();
}

const bytesOf = (of: TestImage) => of.blobs.get(of.root) as Uint8Array;
const good = () => response(200, bytesOf(image), { 'Docker-Content-Digest': image.root });
const isRefusalToAll = (ask: Partial<Ask>, status: number) => {
  const whole = { kind: 'manifest', method: 'GET', upstream, repository, user: undefined, ...ask } as Ask;
  const now = performance.now();
  return isFinalRefusal({ ask: whole, answer: response(status), start: now - 20, end: now });
};
const denied = (text: string) => response(403, `{"errors":[{"code":"DENIED","message":"${text}"}]}`);

describe('the oracle of the isolation run', () => {
  it('accepts content for a user with the right, and a refusal for a user without', () => {
    expect(rulesBroken({}, good())).toEqual([]);
    expect(rulesBroken({ user: stranger }, denied(`no access to ${repository.project}`))).toEqual([]);
  });

  it('reports content for a user without the right, whole, unchanged or in part', () => {
    expect(rulesBroken({ user: stranger }, good())).toEqual(['access']);
    expect(rulesBroken({ user: undefined }, response(304))).toEqual(['access']);
    const blob = { kind: 'blob', user: stranger, reference: image.layers[0] } as const;
    expect(rulesBroken(blob, response(416))).toEqual(['access']);
    expect(rulesBroken(blob, response(206, 'not these bytes'))).toEqual(['access', 'bytes']);
  });

  it('reports content after the right has ended, once the access grant is too old', () => {
    repository.change({ readers: new Set([stranger]) });
    expect(rulesBroken({}, good())).toEqual([]);
    pass(600);
    expect(rulesBroken({}, good())).toEqual(['access']);
  });

  it('accepts older public content while upstream fails, and not after a refusal of the repository to all', () => {
    repository.change({ readers: 'everyone' });
    repository.change({ readers: new Set([owner]) });
    pass(600);
    expect(rulesBroken({ user: undefined }, good())).toEqual(['access']);
    upstream.flaps.note({ at: performance.now(), kind: 'error', user: undefined, repository: 7 });
    expect(rulesBroken({ user: undefined }, good())).toEqual([]);
    world.refusedToAll.set(`0 ${repository.name}`, performance.now() - 400);
    for (const user of [undefined, stranger]) expect(rulesBroken({ user }, good())).toEqual(['access']);
  });

  it('reports a public proof that is younger than the TTL and older than a refusal to all', () => {
    repository.change({ readers: 'everyone' });
    pass(10);
    repository.change({ readers: new Set([owner]) });
    pass(50);
    expect(rulesBroken({ user: undefined }, good())).toEqual([]);
    world.refusedToAll.set(`0 ${repository.name}`, performance.now() - 30);
    expect(rulesBroken({ user: undefined }, good())).toEqual(['access']);
    // The proof of a login is its own.
    expect(rulesBroken({ user: stranger, authorization: 'Basic of the stranger' }, good())).toEqual([]);
  });

  it('extends its windows by measured stalls', () => {
    repository.change({ readers: new Set([stranger]) });
    const ended = world.stalls.begin();
    pass(900);
    ended();
    expect(rulesBroken({}, good())).toEqual([]);
    pass(600);
    expect(rulesBroken({}, good())).toEqual(['access']);
  });

  it('takes 401 and 403 to a client without a login for the refusal of the repository to all', () => {
    for (const status of [401, 403])
      for (const kind of ['manifest', 'blob', 'tags', 'referrers'] as const)
        expect(isRefusalToAll({ kind }, status), `${kind} ${status}`).toBe(true);
    for (const status of [200, 404, 412, 429, 503]) expect(isRefusalToAll({}, status)).toBe(false);
    expect(isRefusalToAll({ authorization: 'Basic x' }, 401)).toBe(false);
    expect(isRefusalToAll({ kind: 'referrers', method: 'HEAD' }, 401)).toBe(false);
    expect(isRefusalToAll({ kind: 'v1-image' }, 401)).toBe(false);
    upstream.flaps.note({ at: performance.now(), kind: 'error', user: undefined, repository: 7 });
    expect(isRefusalToAll({}, 401)).toBe(false);
  });

  it('reports the content of another repository, and of another tag', async () => {
    const other = await buildImage(world.nextImage(), 'schema2');
    world.images.set(other.index, other);
    const answer = response(200, bytesOf(other), { 'Docker-Content-Digest': other.root });
    expect(rulesBroken({}, answer)).toEqual(['access']);
    repository.change({ images: new Set([image, other]) });
    expect(rulesBroken({}, answer)).toEqual(['access']);
  });

  it('reports the message of a refusal for another user, or of another repository', () => {
    expect(rulesBroken({ user: stranger }, denied(`no access for ${marker('user', 3)}`))).toEqual([
      'markers',
    ]);
    const secret = upstream.repositories.at(-1)?.project;
    expect(rulesBroken({ user: stranger }, denied(`quota of ${secret}`))).toEqual(['markers']);
  });

  it('reports a digest in a refusal that the client has not named', () => {
    expect(rulesBroken({ user: stranger }, denied(`manifest ${image.root}`))).toEqual(['access']);
    const named = { user: stranger, reference: image.root };
    expect(rulesBroken(named, denied(`manifest ${image.root}`))).toEqual([]);
  });

  it.each([401, 403, 404, 429, 500, 502, 503])('reports %i for a user with the right', (status) => {
    expect(rulesBroken({}, response(status, '{}'))).toEqual(['refusal']);
    expect(rulesBroken({}, 'cut')).toEqual(['refusal']);
    upstream.flaps.note({ at: performance.now(), kind: 'limit', user: stranger, repository: 7 });
    expect(rulesBroken({}, response(status, '{}'))).toEqual(['refusal']);
    upstream.flaps.note({ at: performance.now(), kind: 'limit', user: owner, repository: undefined });
    expect(rulesBroken({}, response(status, '{}'))).toEqual([]);
  });

  it('reports bytes that do not match their digest or their length', () => {
    const wrong = bytesOf(image).map((byte, at) => (at === 5 ? byte ^ 1 : byte));
    expect(rulesBroken({}, response(200, wrong, { 'Docker-Content-Digest': image.root }))).toEqual(['bytes']);
    const long = { 'Docker-Content-Digest': image.root, 'Content-Length': '3' };
    expect(rulesBroken({}, response(200, bytesOf(image), long))).toEqual(['bytes']);
  });

  it('reports secrets in a log, and credentials at an upstream that should not get them', () => {
    const { basic } = upstream.users[0] as { basic: string };
    expect(secretsIn(`{"login":"${basic}"}`, world)).toHaveLength(1);
    expect(secretsIn(`{"password":"${marker('password', 3)}"}`, world)).toHaveLength(1);
    const { logins } = upstream.registry;
    expect(world.watch.complaint(0, logins, basic, repository)).toContain(
      'no client of that login asks there',
    );
    const leave = world.watch.enter(0, basic, repository);
    expect(world.watch.complaint(0, logins, basic, repository)).toBeUndefined();
    expect(world.watch.complaint(1, logins, basic, repository)).toContain('upstream 1 got the credential');
    leave();
  });
});
