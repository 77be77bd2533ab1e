import type { ComparePassword } from '../auth/compare-password.ts';
import type { AskHelper } from '../auth/credential-helper.ts';
import type { Tier } from '../cache/tiered.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RegistryOptions } from '../registry/registry.ts';
import type { Fetch } from '../upstream/client.ts';

/** The parts that differ between Node and Workers. */
export interface RuntimePlatform extends Pick<RegistryOptions, 'codec' | 'fixedLength' | 'background'> {
  readonly fetch: Fetch;
  /** Largest decompressed layer that the runtime can process, in bytes. */
  readonly layerBytes: number;
  /** Default of REGSHIFT_SUBREQUESTS: upstream and cache requests per client request. */
  readonly subrequests: number;
  /** Default of REGSHIFT_CACHE_BYTES. */
  readonly cacheBytes: number;
  /** True if the runtime has a response cache, which needs a part of the memory. */
  readonly holdsAnswers?: boolean;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Default of REGSHIFT_MAX_REQUESTS. */
  readonly mostRequests: number;
  /** Returns the text of the key that `REGSHIFT_SIGNING_KEY` names. On Node, the setting may be a path to a file. */
  readonly signingKeyText: (setting: string) => Promise<string>;
  /**
   * True if requests of one client reach several processes without shared memory (Workers). Each process must then be
   * able to open the tokens and addresses that another one sealed.
   */
  readonly manyProcesses?: boolean;
  /** Runs credential helpers. Absent if the runtime cannot run programs. */
  readonly askHelper?: AskHelper;
  /** Compares passwords. Node uses another thread, so that other requests do not wait. */
  readonly comparePassword: ComparePassword;
  /** Caches outside of the process or isolate, nearest first. */
  readonly tiers?: readonly Tier[];
}
