import type { ComparePassword } from '../auth/compare-password.ts';
import type { AskHelper } from '../auth/credential-helper.ts';
import type { Tier } from '../cache/tiered.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RegistryOptions } from '../registry/registry.ts';
import type { Fetch } from '../upstream/client.ts';

/** What differs from runtime to runtime. */
export interface RuntimePlatform extends Pick<RegistryOptions, 'codec' | 'fixedLength' | 'background'> {
  readonly fetch: Fetch;
  /** The largest layer, unpacked, that the runtime can cope with, in bytes. */
  readonly layerBytes: number;
  /** How many requests of its own one request may cause, where the operator does not say. */
  readonly subrequests: number;
  /** Memory for converted content, in bytes, where the operator does not say. */
  readonly cacheBytes: number;
  /** Whether whole answers are held beside it: the runtime says in which words requests are asked. */
  readonly holdsAnswers?: boolean;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How many requests may be under way, where the operator does not say. */
  readonly mostRequests: number;
  /** What `REGSHIFT_SIGNING_KEY` stands for: the key's text, read from a file where the runtime has files. */
  readonly signingKeyText: (setting: string) => Promise<string>;
  /**
   * Whether requests of one client reach processes that know nothing of each other (Workers): what one of them seals,
   * another one must be able to open.
   */
  readonly manyProcesses?: boolean;
  /** Asks programs that keep logins. Absent where there are no programs. */
  readonly askHelper?: AskHelper;
  /** Compares on another thread where the runtime has threads: requests are answered meanwhile. */
  readonly comparePassword: ComparePassword;
  /** Caches behind the memory of this process or isolate, the nearest first. */
  readonly tiers?: readonly Tier[];
}
