import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { Random } from '../../fuzz/random.ts';
import { manifestRequestHeaders, type OldClient } from '../old-clients.ts';
import type { Ask, AskKind } from './ask.ts';
import { type Knowledge, oneOf } from './knowledge.ts';
import type { Repository } from './repository.ts';
import { chooseRequester } from './requesters.ts';
import { tagNames, type Upstream, type World } from './world.ts';

/** The target of a request, before its requester is chosen. */
interface Wanted {
  readonly kind: AskKind;
  readonly repository?: Repository | undefined;
  readonly reference?: string | undefined;
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly honest?: boolean;
}

const clients = Object.keys(manifestRequestHeaders) as OldClient[];

/** One request, or several simultaneous ones of different clients for the same target. */
export function asksOfV2(random: Random, world: World, knowledge: Knowledge): Ask[] {
  const upstream = random.one(world.upstreams);
  const repository = random.one(upstream.repositories);
  const wanted = chooseWanted(random, world, knowledge, upstream, repository);
  const count = random.oneIn(4) ? 2 + random.below(6) : 1;
  const sameClient = random.one(clients);
  return Array.from({ length: count }, () =>
    askFor(random, knowledge, upstream, wanted, random.oneIn(3) ? random.one(clients) : sameClient),
  );
}

/** Simultaneous requests for the same tag of several repositories, by an engine that makes the proxy read layers. */
export function asksAcross(random: Random, knowledge: Knowledge, upstream: Upstream, tag: string): Ask[] {
  const client = random.one(['Docker 1.9.1', 'Docker 1.13.1', 'Docker 20.10', 'skopeo'] as const);
  return upstream.repositories
    .filter(({ now }) => now.tags.has(tag))
    .flatMap((repository) =>
      Array.from({ length: 1 + random.below(3) }, () =>
        askFor(random, knowledge, upstream, byTag(repository, tag), client),
      ),
    );
}

function askFor(
  random: Random,
  knowledge: Knowledge,
  upstream: Upstream,
  { headers = [], honest = true, ...wanted }: Wanted,
  client: OldClient,
): Ask {
  const requester = chooseRequester(random, upstream, wanted.repository, knowledge);
  const { user, says, authorization, isGood } = requester;
  const own = manifestRequestHeaders[client].filter(
    ([name]) => wanted.kind === 'manifest' || name !== 'Accept',
  );
  const login = authorization === undefined ? [] : [['Authorization', authorization] as const];
  return {
    ...wanted,
    ...{ upstream, user, says, authorization },
    method: random.oneIn(4) ? 'HEAD' : 'GET',
    headers: [...own, ...headers, ...login],
    honest: honest && isGood,
    leavesAfter: random.oneIn(15) ? random.below(40) : undefined,
  };
}

function byTag(repository: Repository, tag: string): Wanted {
  return { kind: 'manifest', repository, reference: tag, path: `/v2/${repository.name}/manifests/${tag}` };
}

function chooseWanted(
  random: Random,
  world: World,
  knowledge: Knowledge,
  upstream: Upstream,
  repository: Repository,
): Wanted {
  const dice = random.below(100);
  const { name } = repository;
  if (dice < 34) return conditional(random, knowledge, byTag(repository, random.one(tagNames)));
  if (dice < 50) return stored(random, world, repository);
  if (dice < 64) return made(random, knowledge, repository);
  if (dice < 84) return layer(random, world, repository);
  if (dice < 87) return blob(repository, emptyLayer.digest, false);
  if (dice < 91) return { kind: 'tags', repository, path: `/v2/${name}/tags/list` };
  if (dice < 93) {
    const [image] = repository.now.images;
    const reference = image?.root ?? emptyLayer.digest;
    return {
      kind: 'referrers',
      repository,
      reference,
      path: `/v2/${name}/referrers/${reference}`,
      honest: false,
    };
  }
  if (dice < 95) return { kind: 'catalog', path: '/v2/_catalog' };
  if (dice < 96) return { kind: 'ping', path: '/v2/' };
  if (dice < 97) return { kind: 'v1-search', path: '/v1/search?q=vault' };
  const scope = new URLSearchParams({ service: `test-${upstream.index}`, scope: `repository:${name}:pull` });
  return { kind: 'token', repository, path: `/token?${scope}`, honest: false };
}

/** The root of an image that the repository has, or of any other image. */
function stored(random: Random, world: World, repository: Repository): Wanted {
  const held = random.oneIn(4) ? undefined : oneOf(random, [...repository.now.images]);
  const { content } = held ?? random.one([...world.images.values()]);
  const reference = random.one([...content.manifests.keys()]);
  return { kind: 'manifest', repository, reference, path: `/v2/${repository.name}/manifests/${reference}` };
}

/** Content that the proxy made, for this repository or for another one. */
function made(random: Random, knowledge: Knowledge, repository: Repository): Wanted {
  const own = knowledge.digests.filter((each) => each.repository === repository);
  const learned = oneOf(random, random.oneIn(3) || own.length === 0 ? knowledge.digests : own);
  if (!learned) return byTag(repository, 'latest');
  const { digest: reference, kind } = learned;
  const path = `/v2/${repository.name}/${kind}s/${reference}`;
  return { kind, repository, reference, path, honest: false };
}

function layer(random: Random, world: World, repository: Repository): Wanted {
  const held = random.oneIn(4) ? undefined : oneOf(random, [...repository.now.images]);
  const image = held ?? random.one([...world.images.values()]);
  const digest = random.one(image.layers);
  // A decompressed layer exists once the proxy has named its digest.
  const isStored = image.content.blobs.has(digest);
  const range = `bytes=${random.below(500)}-${random.oneIn(2) ? '' : 500 + random.below(30_000)}`;
  const more = random.oneIn(3)
    ? ([['Range', range]] as const)
    : random.oneIn(6)
      ? ([['If-None-Match', `"${digest}"`]] as const)
      : [];
  return { ...blob(repository, digest, isStored), headers: more };
}

function blob(repository: Repository, reference: string, honest: boolean): Wanted {
  return { kind: 'blob', repository, reference, path: `/v2/${repository.name}/blobs/${reference}`, honest };
}

/** Adds a condition with the digest of made content, or of stored content. */
function conditional(random: Random, { digests }: Knowledge, wanted: Wanted): Wanted {
  if (!random.oneIn(6)) return wanted;
  const [image] = wanted.repository?.now.images ?? [];
  const digest = random.oneIn(2) ? oneOf(random, digests)?.digest : image?.root;
  return { ...wanted, headers: [['If-None-Match', `"${digest}"`]] };
}
