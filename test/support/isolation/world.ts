import type { Digest } from '../../../converters/digest.ts';
import { Random } from '../../fuzz/random.ts';
import { CredentialWatch } from './credential-watch.ts';
import { Flaps } from './flaps.ts';
import { buildImage, imageKinds, type TestImage } from './images.ts';
import { startTestRegistry, type TestRegistry } from './registry.ts';
import { type Refusal, Repository, type RepositoryOptions } from './repository.ts';
import { Stalls } from './stalls.ts';
import { startStorage } from './storage.ts';
import { Trace } from './trace.ts';
import { createUser, type User } from './users.ts';

export interface Upstream {
  readonly index: number;
  /** The host under which clients reach the upstream through the proxy. */
  readonly host: string;
  readonly scheme: 'basic' | 'bearer';
  readonly users: readonly User[];
  readonly repositories: readonly Repository[];
  readonly flaps: Flaps;
  readonly registry: TestRegistry;
}

/** Two registries with the same names, users and images, and with different rights and passwords. */
export interface World {
  readonly upstreams: readonly Upstream[];
  /** All present and past images, by index. */
  readonly images: Map<number, TestImage>;
  /** The index of the next image. */
  readonly nextImage: () => number;
  /** The bytes of stored content, or of a decompressed layer. */
  bytesOf(digest: string): Uint8Array | undefined;
  readonly watch: CredentialWatch;
  readonly trace: Trace;
  readonly stalls: Stalls;
  /** The last times when the proxy had passed on a final refusal to everyone, by upstream and repository. */
  readonly refusedToAll: Map<string, number>;
  /** Complaints about credentials that arrived at a registry or a storage where they do not belong. */
  readonly strays: string[];
  stop(): Promise<void>;
}

export const userCount = 5;
const repositoryCount = 14;
const flaws: readonly RepositoryOptions['flaw'][] = [
  undefined,
  undefined,
  undefined,
  'quota',
  'wrong-layers',
];
const refusals: readonly Refusal[] = ['challenge', 'denied', 'unknown'];

export async function startWorld(seed: number): Promise<World> {
  const random = new Random(seed);
  const first = await Promise.all(
    [...imageKinds, ...imageKinds].map((kind, index) => buildImage(index, kind)),
  );
  const images = new Map(first.map((image) => [image.index, image]));
  let lastImage = first.length - 1;
  const bytesOf = (digest: string) => {
    for (const { blobs } of images.values()) {
      const bytes = blobs.get(digest as Digest);
      if (bytes) return bytes;
    }
    return undefined;
  };
  const nextImage = () => (lastImage += 1);
  const stalls = new Stalls();
  const watch = new CredentialWatch(stalls);
  const world = {
    images,
    nextImage,
    bytesOf,
    watch,
    trace: new Trace(),
    stalls,
    refusedToAll: new Map<string, number>(),
  };
  const strays: string[] = [];
  const storage = await startStorage(bytesOf, (header) => strays.push(`the other origin got ${header}`));
  const upstreams = await Promise.all(
    (['basic', 'bearer'] as const).map((scheme, index) =>
      startUpstream(index, scheme, createRepositories(index, first, random), world, strays, storage.url),
    ),
  );
  const stop = async () => {
    for (const { registry } of upstreams) await registry.stop();
    await storage.stop();
  };
  return { ...world, upstreams, strays, stop };
}

async function startUpstream(
  index: number,
  scheme: Upstream['scheme'],
  repositories: readonly Repository[],
  { watch }: Pick<World, 'watch'>,
  strays: string[],
  storage: string,
): Promise<Upstream> {
  const users = Array.from({ length: userCount }, (_, each) => createUser(index, each));
  const flaps = new Flaps();
  const registry: TestRegistry = await startTestRegistry({
    ...{ index, scheme, users, repositories, flaps, storage },
    onCredential: (authorization, repository) => {
      if (authorization === undefined) return;
      const complaint = watch.complaint(index, registry.logins, authorization, repository);
      if (complaint) strays.push(complaint);
    },
  });
  return { index, host: `upstream-${index}.test`, scheme, users, repositories, flaps, registry };
}

/**
 * Creates repositories for everyone, for a few users, and one for each user; one has an exhausted quota, one broken
 * layers.
 */
function createRepositories(upstream: number, images: readonly TestImage[], random: Random): Repository[] {
  return Array.from({ length: repositoryCount }, (_, index) => {
    const flaw = flaws[index];
    const options = {
      ...{ index, upstream, flaw },
      refusal: refusals[index % refusals.length] as Refusal,
      redirects: flaw === undefined && index % 4 === 1,
    };
    const some = new Set([random.below(userCount), random.below(userCount)]);
    const readers = index < 3 ? 'everyone' : index < 9 ? some : new Set([index - 9]);
    const tags = new Map(tagNames.slice(0, 3).map((tag) => [tag, random.one(images)]));
    return new Repository(options, { readers, tags, images: new Set(tags.values()) });
  });
}

export const tagNames = ['latest', '1.0', '2.0', 'edge'] as const;
