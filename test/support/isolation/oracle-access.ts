import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { Answered, Ask } from './ask.ts';
import type { TestImage } from './images.ts';
import { digestsIn, markersIn, textOf } from './markers.ts';
import { isPartOf, mayRead, type Repository, type RepositoryState } from './repository.ts';
import { aboutRepository } from './trace.ts';
import type { World } from './world.ts';

export interface OracleSettings {
  /** The proxy's setting, in seconds. */
  readonly ttl: number;
  readonly stale: number;
  /** The number of replicas: one replica does not know a refusal that another one has seen. */
  readonly replicas: number;
}

/** Milliseconds for the difference of two processes' clocks and for rounding; measured stalls are added. */
const slack = 300;

/** The facts that a response tells about its repository. */
interface Claims {
  /** Indexes of images. */
  readonly images: readonly number[];
  readonly digests: readonly string[];
}

const contentStatuses = [200, 206, 304, 416];
const contentKinds: readonly Ask['kind'][] = [
  'manifest',
  'blob',
  'tags',
  'referrers',
  'v1-repository',
  'v1-image',
];

/** @returns a violation when a response holds content to which its requester has no right, now and lately. */
export function accessComplaint(
  world: World,
  settings: OracleSettings,
  answered: Answered,
): string | undefined {
  const { ask, answer } = answered;
  const { repository } = ask;
  if (typeof answer === 'string' || !repository || !contentKinds.includes(ask.kind)) return undefined;
  const claims = claimsOf(world, answered);
  const isContent = contentStatuses.includes(answer.status);
  if (!isContent && claims.images.length === 0 && claims.digests.length === 0) return undefined;
  if (wasRight(world, settings, answered, repository, claims)) return undefined;
  const told = [...claims.images.map((each) => `image ${each}`), ...claims.digests].slice(0, 6).join(', ');
  return `${answer.status} with content (${told || 'of the repository'}) that the requester had no right to`;
}

function claimsOf(world: World, { ask, answer }: Answered): Claims {
  if (typeof answer === 'string') return { images: [], digests: [] };
  const isContent = contentStatuses.includes(answer.status);
  const text = `${answer.headers.map(([, value]) => value).join('\n')}\n${textOf(answer.body)}`;
  const images = markersIn(text).flatMap(({ kind, index }) => (kind === 'image' ? [index] : []));
  // The registry has the same referrers for each digest, so they do not tell that it has this one.
  const isNamed = isContent && ask.kind !== 'referrers' && ask.reference?.startsWith('sha256:');
  const own = isNamed && ask.reference !== undefined ? [ask.reference] : [];
  const told = digestsIn(text).filter((digest) => isContent || digest !== ask.reference);
  // Only the proxy knows the digests of made content: markers and named digests identify that content.
  const known = [...new Set([...own, ...told])].filter((digest) => world.bytesOf(digest) !== undefined);
  const empty = own.includes(emptyLayer.digest) ? own : [];
  return { images, digests: [...new Set([...known, ...empty])] };
}

function wasRight(
  world: World,
  { ttl, stale, replicas }: OracleSettings,
  { ask, start, end }: Answered,
  repository: Repository,
  claims: Claims,
): boolean {
  const fits = (state: RepositoryState) => holds(state, ask, claims);
  const { index } = repository.options;
  const before = (milliseconds: number) => start - world.stalls.extend(milliseconds + slack, start, end);
  const refused = world.refusedToAll.get(aboutRepository(ask.upstream.index, repository.name)) ?? 0;
  // A final refusal to everyone ends each public proof of the repository, on the replica that has seen it.
  const known = replicas === 1 && refused < start ? refused : 0;
  const oldest = before(ttl * 1_000);
  // A login may have a proof of its own from the time when the repository was public.
  const proved = repository.between(ask.authorization === undefined ? Math.max(oldest, known) : oldest, end);
  if (proved.some((state) => mayRead(state, ask.user) && fits(state))) return true;
  // While upstream fails, an older response of public content may replace its own.
  if (!ask.upstream.flaps.failedIn(index, before(0), end)) return false;
  const since = Math.max(before(stale * 1_000), known);
  return repository.between(since, end).some((state) => state.readers === 'everyone' && fits(state));
}

/** Whether a state of the repository has all that a response tells: for a tag, the image that it names. */
function holds({ tags, images }: RepositoryState, { kind, reference }: Ask, claims: Claims): boolean {
  const isTag = kind === 'manifest' && reference !== undefined && !reference.startsWith('sha256:');
  const tagged = isTag ? tags.get(reference) : undefined;
  if (isTag && !tagged) return false;
  const held: Iterable<TestImage> = tagged ? [tagged] : images;
  const all = [...held];
  return (
    claims.images.every((index) => all.some((image) => image.index === index)) &&
    claims.digests.every((digest) => all.some((image) => isPartOf(digest, image)))
  );
}
