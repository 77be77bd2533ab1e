import { withDeadline } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';
import { requestPing } from '../upstream/api/ping.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';

/** What a probe is told: for machines, and for whoever asks by curl. */
export interface HealthReport {
  /** Whether to send clients here: it has not been told to stop. */
  readonly ready: boolean;
  /** Of each cache that may be away. A pull goes on without it. */
  readonly caches: Readonly<Record<string, 'here' | 'away'>>;
  /**
   * Of each route's registry, when it was last asked: `answers`, `not asked yet`, or how it fails, like
   * `UPSTREAM_UNREACHABLE`. What is remembered is served without it.
   */
  readonly upstreams: Readonly<Record<string, string>>;
}

export interface Health {
  /** Waits for nothing longer than half a second: probes have a second. */
  report(): Promise<HealthReport>;
  /** From now on it is not ready. */
  stop(): void;
}

export interface HealthOptions {
  readonly sites: readonly { readonly id: string; readonly client: UpstreamClient }[];
  readonly caches: readonly { readonly name: string; readonly isAway: () => boolean }[];
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: (work: Promise<unknown>) => void;
}

const everyMs = 10_000;
const waitMs = 500;
const deadlineMs = 5_000;

/**
 * Neither a cache that is away nor an upstream that fails makes a process not ready: all replicas would be that at
 * once, and nothing would be left to say what is wrong, nor to serve what is remembered.
 */
export function createHealth({ sites, caches, clock, background }: HealthOptions): Health {
  const upstreams: Record<string, string> = Object.fromEntries(sites.map(({ id }) => [id, 'not asked yet']));
  let stopping = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<unknown> = Promise.resolve();

  async function ask(): Promise<void> {
    const asked = sites.map(async ({ id, client }) => {
      upstreams[id] = await stateOf(client);
    });
    await Promise.all(asked);
  }

  return {
    async report() {
      if (clock() - askedAt >= everyMs) {
        askedAt = clock();
        asking = ask();
        background(asking);
      }
      await Promise.race([asking, new Promise((resolve) => setTimeout(resolve, waitMs))]);
      const states = caches.map(({ name, isAway }) => [name, isAway() ? 'away' : 'here'] as const);
      return { ready: !stopping, caches: Object.fromEntries(states), upstreams: { ...upstreams } };
    },
    stop() {
      stopping = true;
    },
  };
}

/** In nobody's name: whoever asks for a login answers. */
async function stateOf(client: UpstreamClient): Promise<string> {
  try {
    return await withDeadline(deadlineMs, undefined, async (signal) => {
      const response = await requestPing(client, { credential: { kind: 'none' }, signal });
      await discard(response);
      return response.status < 500 ? 'answers' : `answers ${response.status}`;
    });
  } catch (error) {
    if (!(error instanceof RegistryError)) return 'UPSTREAM_TIMEOUT';
    return error.code === 'UNAUTHORIZED' ? 'answers' : error.code;
  }
}
