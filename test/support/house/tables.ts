import { program, textOf } from './sources.ts';

/** The file that makes tables, which is the only one that imports lru-cache. */
const maker = 'src/cache/memory-budget.ts';

/**
 * Maps and Sets that begin empty, by file: the number of them, and the bound of their memory. All that outlives a request
 * and grows with requests belongs into a table of `MemoryBudget`.
 */
export const boundedCollections: Readonly<Record<string, readonly [count: number, bound: string]>> = {
  'src/auth/htpasswd-file.ts': [1, 'settings'],
  'src/auth/htpasswd.ts': [1, 'settings: one proof for each user of the file'],
  'src/auth/login-queue.ts': [3, '200 logins wait'],
  'src/cli/copy/plan-copy.ts': [2, 'one command'],
  'src/cli/docker-login.ts': [1, 'one command'],
  'src/cli/images/file-store.ts': [1, 'one command'],
  'src/cli/images/layer-spool.ts': [3, 'one command'],
  'src/cli/images/open-image.ts': [1, 'one command'],
  'src/cli/save/docker-archive.ts': [1, 'one command'],
  'src/concurrency/collect-within.ts': [2, 'one request'],
  'src/concurrency/job-queue.ts': [2, 'a thousand jobs'],
  'src/concurrency/fair-queue.ts': [2, 'requests that wait'],
  'src/concurrency/lease-line.ts': [2, 'requests that wait'],
  'src/concurrency/lease-semaphore.ts': [1, 'four leases'],
  'src/concurrency/shared-work.ts': [1, 'requests that wait'],
  'src/concurrency/single-flight.ts': [1, 'requests that wait'],
  'src/http/page/look-up.ts': [2, 'one request'],
  'src/http/events/event-body.ts': [1, 'sixteen bodies of 2 MiB'],
  'src/http/events/minute-warnings.ts': [1, 'eight messages'],
  'src/http/events/receive-events.ts': [1, 'a thousand repositories'],
  'src/http/events/warm-jobs.ts': [1, 'routes'],
  'src/http/response-cache.ts': [1, 'one request'],
  'src/http/v1/any-image.ts': [1, 'one request'],
  'src/http/v2/missing-content.ts': [2, 'one request'],
  'src/layers/layer-reads.ts': [2, 'four reads, and those that wait'],
  'src/layers/read-leases.ts': [1, 'requests that wait'],
  'src/layers/read-waiters.ts': [1, 'requests that wait'],
  'src/layers/layers-to-read.ts': [1, 'one request'],
  'src/layers/store/open-fills.ts': [2, 'sixteen fills'],
  'src/layers/store/parted-write.ts': [1, 'two parts'],
  'src/layers/store/s3/s3-client.ts': [1, 'five keys'],
  'src/layers/tails.ts': [1, 'requests that wait'],
  'src/observability/figures.ts': [1, 'one request'],
  'src/registry/background-jobs.ts': [1, 'four jobs'],
  'src/registry/resolver.ts': [1, 'requests in progress'],
  'src/registry/manifests/recipe-search.ts': [1, 'one request'],
  'src/routing/aliases.ts': [1, 'settings'],
  'src/routing/virtual-hosts.ts': [1, 'settings: the hosts and ports of routes'],
  'src/runtime/node/http/listener.ts': [1, 'requests in progress'],
  'src/runtime/node/http/open-connections.ts': [1, 'open connections'],
  'src/runtime/node/http/transport.ts': [1, 'open connections'],
  'src/runtime/node/http/unanswered.ts': [1, 'requests in progress'],
  'src/runtime/node/layers/memory-semaphore.ts': [1, 'open downloads'],
  'src/runtime/node/layers/window-shares.ts': [1, 'open downloads'],
  'src/runtime/node/metrics/client-metrics.ts': [1, 'routes, resources and statuses'],
  'src/runtime/node/metrics/registry-metrics.ts': [1, 'routes'],
  'src/runtime/node/redis/cache.ts': [1, 'conversions in progress'],
  'src/runtime/node/redis/shared-writes.ts': [1, 'the counters of repositories'],
  'src/runtime/node/password-worker.ts': [1, 'one comparison'],
  'src/runtime/node/store/file-operations.ts': [1, 'half of the threads for files'],
  'src/runtime/node/store/folder-writes.ts': [1, 'sixteen fills'],
  'src/sample-registry/content.ts': [2, 'the samples'],
  'src/sample-registry/registry.ts': [1, 'the samples'],
  'src/upstream/api/tags.ts': [1, 'one request'],
  'src/upstream/auth/challenge.ts': [1, 'one response'],
  'src/upstream/mirrors.ts': [1, 'settings'],
};

const emptyCollection = /\bnew (?:Map|Set)(?:<.*?>)?\(\)/g;

/** Files that remember something outside of the memory budget, with the reason. */
export function uncountedTables(files: readonly string[] = program): string[] {
  return files.flatMap((file) => {
    const text = textOf(file);
    const [known = 0] = boundedCollections[file] ?? [];
    const found = text.match(emptyCollection)?.length ?? 0;
    return [
      ...(file !== maker && text.includes("'lru-cache'") ? [`${file}: imports lru-cache`] : []),
      ...(file.startsWith('src/') && found !== known
        ? [`${file}: ${found} Maps and Sets, not ${known}`]
        : []),
    ];
  });
}
