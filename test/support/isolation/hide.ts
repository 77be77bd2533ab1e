import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../fuzz/random.ts';
import { manifestRequestHeaders } from '../old-clients.ts';
import type { Ask } from './ask.ts';
import type { Perform } from './asks-v1.ts';
import type { Repository } from './repository.ts';
import { aboutRepository } from './trace.ts';
import { type Upstream, userCount, type World } from './world.ts';

const headers = manifestRequestHeaders['Docker 1.13.1'];

/**
 * Makes a public repository private, lets a client without a login meet the refusal of one resource, and then lets the
 * registry fail, while clients request the other references that the proxy has proofs of.
 */
export async function hideRepository(
  random: Random,
  world: World,
  upstream: Upstream,
  perform: Perform,
): Promise<void> {
  const repository = random.one(upstream.repositories.filter(({ options }) => options.flaw === undefined));
  const about = aboutRepository(upstream.index, repository.name);
  repository.change({ readers: 'everyone' });
  world.trace.note(about, `# ${repository.name} made public, to be hidden`);
  const references = [...repository.now.tags.keys(), ...[...repository.now.images].map(({ root }) => root)];
  const asks = references.map((each) => askFor(upstream, repository, 'manifest', each));
  await Promise.all(asks.map(perform));
  repository.change({ readers: new Set([random.below(userCount)]) });
  world.trace.note(about, `# ${repository.name} hidden`);
  await perform(askOfHidden(random, upstream, repository, references));
  // Within the TTL the proofs are fresh; after it they are only stale.
  if (random.oneIn(2)) await sleep(1_100);
  upstream.flaps.fail(repository, 500);
  await Promise.all(asks.map(perform));
}

/** A request for a resource that no proof is for, so that the registry is asked. */
function askOfHidden(
  random: Random,
  upstream: Upstream,
  repository: Repository,
  references: readonly string[],
): Ask {
  const kind = random.one(['manifest', 'blob', 'tags', 'referrers'] as const);
  const digest = `sha256:${random.below(1_000_000).toString(16).padStart(64, '0')}`;
  return askFor(upstream, repository, kind, kind === 'referrers' ? (references.at(-1) ?? digest) : digest);
}

function askFor(
  upstream: Upstream,
  repository: Repository,
  kind: 'manifest' | 'blob' | 'tags' | 'referrers',
  reference: string,
): Ask {
  const path = `/v2/${repository.name}/${
    {
      manifest: `manifests/${reference}`,
      blob: `blobs/${reference}`,
      tags: 'tags/list',
      referrers: `referrers/${reference}`,
    }[kind]
  }`;
  return {
    ...{ kind, upstream, repository, reference, path, headers, method: 'GET' },
    ...{ user: undefined, honest: false },
  };
}
