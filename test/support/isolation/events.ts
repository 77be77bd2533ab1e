import type { Random } from '../../fuzz/random.ts';
import { buildImage, type ImageKind, imageKinds, type TestImage } from './images.ts';
import type { Repository } from './repository.ts';
import { aboutRepository } from './trace.ts';
import { tagNames, type Upstream, userCount, type World } from './world.ts';

type Change = (repository: Repository, random: Random, image: TestImage) => string;

function readersOf({ now: { readers } }: Repository): Set<number> {
  return new Set(readers === 'everyone' ? [] : readers);
}

/** The actions of repository owners, each with its name in the trace. */
const changes: readonly Change[] = [
  (repository, random) => {
    const user = random.below(userCount);
    repository.change({ readers: readersOf(repository).add(user) });
    return `granted to user ${user}`;
  },
  (repository, random) => {
    const readers = readersOf(repository);
    const user = random.below(userCount);
    readers.delete(user);
    repository.change({ readers });
    return `revoked from user ${user}`;
  },
  (repository) => {
    repository.change({ readers: 'everyone' });
    return 'made public';
  },
  (repository, random) => {
    repository.change({ readers: new Set([random.below(userCount)]) });
    return 'made private';
  },
  (repository, random) => {
    const { tags, images } = repository.now;
    const [tag = ''] = random.one([...tags]);
    if (tags.size < 2) return 'kept its last tag';
    const left = new Map([...tags].filter(([each]) => each !== tag));
    // An untagged manifest may stay, or go with its last tag.
    const kept = random.oneIn(2) ? images : new Set(left.values());
    repository.change({ tags: left, images: kept });
    return `lost its tag ${tag}${kept === images ? '' : ' and what it named'}`;
  },
  (repository, random, image) => {
    const tag = random.one(tagNames);
    const { tags, images } = repository.now;
    const named = new Map([...tags, [tag, image]]);
    repository.change({
      tags: named,
      images: new Set([...(random.oneIn(2) ? images : named.values()), image]),
    });
    return `moved ${tag} to image ${image.index} (${image.kind})`;
  },
  (repository, _, image) => {
    repository.change({ tags: new Map([['latest', image]]), images: new Set([image]) });
    return `deleted and made anew with image ${image.index} (${image.kind})`;
  },
];

/** Changes rights or content in one repository. */
export function changeSomething(
  { trace, images }: World,
  { index, repositories }: Upstream,
  random: Random,
): void {
  const repository = random.one(repositories);
  const what = random.one(changes)(repository, random, random.one([...images.values()]));
  trace.note(aboutRepository(index, repository.name), `# ${repository.name} ${what}`);
}

const withLayersToRead: readonly ImageKind[] = ['oci-zstd', 'index-zstd', 'schema1', 'schema1-unsigned'];

/** Puts a new image into several repositories at once, among them those with a flaw. */
export async function deploy(
  world: World,
  { index, repositories }: Upstream,
  random: Random,
): Promise<string> {
  const kind = random.one(random.oneIn(3) ? imageKinds : withLayersToRead);
  const number = world.nextImage();
  const image = await buildImage(number, kind);
  world.images.set(number, image);
  const tag = random.one(tagNames);
  const meant = repositories.filter(({ options: { flaw } }) => flaw !== undefined || !random.oneIn(3));
  for (const repository of meant) {
    const { tags, images } = repository.now;
    repository.change({ tags: new Map([...tags, [tag, image]]), images: new Set([...images, image]) });
    const text = `# ${repository.name}:${tag} is now image ${number} (${kind})`;
    world.trace.note(aboutRepository(index, repository.name), text);
  }
  return tag;
}
