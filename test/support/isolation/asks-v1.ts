import type { Random } from '../../fuzz/random.ts';
import { v1DaemonNames, v1Daemons } from '../v1-daemons.ts';
import { pullV1 } from '../v1-pull.ts';
import type { V1Http } from '../v1-session.ts';
import type { Answered, Ask } from './ask.ts';
import { type Knowledge, type LearnedPull, oneOf } from './knowledge.ts';
import { textOf } from './markers.ts';
import type { Repository } from './repository.ts';
import { basicOf } from './users.ts';
import { tagNames, type Upstream, type World } from './world.ts';

export type Perform = (ask: Ask) => Promise<Answered>;

/** Pulls by API v1 as an old daemon does; each request of the pull counts as one of the run. */
export async function pullByV1(
  random: Random,
  world: World,
  knowledge: Knowledge,
  perform: Perform,
): Promise<void> {
  const upstream = random.one(world.upstreams);
  const repository = random.one(upstream.repositories);
  const readers = repository.now.readers;
  const likely = readers === 'everyone' ? [] : upstream.users.filter(({ index }) => readers.has(index));
  const user = random.oneIn(4)
    ? undefined
    : (oneOf(random, random.oneIn(3) ? [] : likely) ?? random.one(upstream.users));
  const daemon = v1Daemons[random.one(v1DaemonNames)];
  const said: { prefix: string; token: string; ids: string[] } = { prefix: '', token: '', ids: [] };
  const http: V1Http = async (method, path, headers) => {
    const ask = { ...askOf(upstream, repository, path), headers, user: user?.index, says: user?.index };
    const { answer } = await perform({ ...ask, method: method as 'GET', authorization: user?.basic });
    if (typeof answer === 'string') throw new Error(answer);
    const endpoint = answer.header('X-Docker-Endpoints') ?? '';
    if (endpoint.includes('/')) said.prefix = endpoint.slice(endpoint.indexOf('/'));
    said.token = answer.header('X-Docker-Token') ?? said.token;
    if (path.endsWith('/ancestry') && answer.status === 200)
      said.ids = JSON.parse(textOf(answer.body)) as string[];
    return answer;
  };
  const login = user && `${user.name}:${user.password}`;
  // The daemon's reaction to a refusal does not matter here.
  await pullV1({ daemon, http, login }, repository.name, random.one(tagNames)).catch(() => undefined);
  if (said.prefix === '') return;
  const pull = { ...said, upstream, repository, user: user?.index, authorization: user?.basic };
  knowledge.addPull(pull);
}

function askOf(
  upstream: Upstream,
  repository: Repository,
  path: string,
): Pick<Ask, 'kind' | 'upstream' | 'repository' | 'path' | 'honest' | 'reference'> {
  const [, tag] = /\/(?:manifests|tags)\/([^/]+)$/.exec(path) ?? [];
  const common = { upstream, path, reference: tag };
  if (path.includes('/_ping') || path.endsWith('/v2/')) return { ...common, kind: 'ping', honest: false };
  if (path.startsWith('/v2/')) return { ...common, kind: 'manifest', repository, honest: false };
  if (path.includes('/v1/images/')) return { ...common, kind: 'v1-image', repository, honest: false };
  return { ...common, kind: 'v1-repository', repository, honest: true };
}

/** A request with parts of several pulls: the address of one, the token of another, an id of a third. */
export function mixedV1(random: Random, { pulls }: Knowledge): Ask | undefined {
  const [place, shown, seen] = [oneOf(random, pulls), oneOf(random, pulls), oneOf(random, pulls)];
  if (!place || !shown || !seen) return undefined;
  const own = random.oneIn(2) ? shown : place;
  const id = oneOf(random, seen.ids);
  if (id === undefined) return undefined;
  const kind = random.one(['ancestry', 'json', 'layer']);
  return mixed(place, own, `${place.prefix}/v1/images/${id}/${kind}`, random);
}

function mixed({ upstream, repository }: LearnedPull, shown: LearnedPull, path: string, random: Random): Ask {
  const isHere = shown.upstream === upstream;
  const login = random.oneIn(6) ? basicOf(`user-${random.below(9)}`, 'wrong') : undefined;
  const authorization = login ?? `Token ${shown.token}`;
  return {
    ...{ kind: 'v1-image', upstream, repository, path, method: 'GET', honest: false },
    headers: [
      ['User-Agent', v1Daemons['Docker 1.3.3'].userAgent],
      ['Authorization', authorization],
    ],
    user: login || !isHere ? undefined : shown.user,
    says: login || !isHere ? undefined : shown.user,
    // The login is the one sealed in the token.
    authorization: login ?? (isHere ? shown.authorization : undefined),
  };
}
