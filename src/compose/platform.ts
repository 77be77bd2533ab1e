import type { TakeTurn } from '../../converters/ports.ts';
import type { MachineRoles } from '../auth/clouds/machine-roles.ts';
import type { ComparePassword } from '../auth/compare-password.ts';
import type { AskHelper } from '../auth/credential-helper.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Tier } from '../cache/tiered.ts';
import type { Clock, WallClock } from '../clock.ts';
import type { RouteSettings } from '../config/route-settings.ts';
import type { Values } from '../config/settings.ts';
import type { ErrorEntry } from '../http/page/error-entries.ts';
import type { StatusNumbers } from '../http/page/status-page.ts';
import type { BlobStore } from '../layers/store/blob-store.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RegistryOptions } from '../registry/registry.ts';
import type { FleetWrites } from '../registry/repository-versions.ts';
import type { Fetch } from '../upstream/client.ts';

/** Settings whose files may be replaced while the program runs. */
export interface RotatingSettings {
  /**
   * The newest valid settings of a route; undefined for an unknown route. The same object comes back until a file
   * changes.
   * @param route undefined for the settings of the program.
   * @param atOnce true: the files are looked at now, and otherwise every few seconds.
   */
  newest(route?: string, atOnce?: boolean): Promise<Values | undefined>;
}

/** `RotatingSettings.newest` for one route. */
export type NewestValues = (atOnce: boolean) => Promise<Values>;

/** Everything that differs between runtimes. */
export interface RuntimePlatform
  extends Pick<RegistryOptions, 'codec' | 'fixedLength' | 'forwardBody' | 'background'> {
  readonly fetch: Fetch;
  /**
   * Creates the `fetch` of one route, by its settings and the newest ones. Absent on a runtime that chooses proxies and
   * authorities itself (Workers).
   */
  readonly fetchFor?: (route: RouteSettings, newest?: NewestValues) => Fetch;
  /** Size of the largest decompressed layer that the runtime can read, in bytes. */
  readonly layerBytes: number;
  /** Default for REGSHIFT_SUBREQUESTS. */
  readonly subrequests: number;
  /** The memory of the process for everything that it remembers: REGSHIFT_CACHE_BYTES. */
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Default for REGSHIFT_MAX_REQUESTS. */
  readonly mostRequests: number;
  /** The key text for a value of `REGSHIFT_SIGNING_KEY`, read from a file on runtimes that have files. */
  readonly signingKeyText: (setting: string) => Promise<string>;
  /** The step of the operator that gives the program a key that stays, as a part of a sentence. */
  readonly signingKeyStep: string;
  /**
   * True if one client's requests reach processes that share no memory (Workers): a process must open what another
   * one sealed.
   */
  readonly manyProcesses?: boolean;
  /**
   * Time for work in the background after its request has ended, in milliseconds. Absent on a runtime without such a
   * limit.
   */
  readonly backgroundMs?: number;
  /** Runs credential helpers. Absent on a runtime that cannot run programs. */
  readonly askHelper?: AskHelper;
  /** The accounts that clouds give to the machine. Absent on a runtime without a machine (Workers). */
  readonly machine?: MachineRoles;
  /** Absent for a process that knows no others. */
  readonly fleetWrites?: FleetWrites | undefined;
  /** Absent if no setting is in a file, and on a runtime without files (Workers). */
  readonly rotating?: RotatingSettings | undefined;
  /** Compares on another thread if the runtime has threads, so that requests are answered meanwhile. */
  readonly comparePassword: ComparePassword;
  /** Waits for a turn of the event loop to work on a document. Without it, all work is done at once. */
  readonly turn?: TakeTurn;
  /** The numbers of `/metrics`, for the page; absent if nothing is counted. */
  readonly numbers?: StatusNumbers | undefined;
  /** Reads the entries of docs/errors.md that only this runtime has, for the page. */
  readonly moreErrors?: () => Promise<readonly ErrorEntry[]>;
  /** Caches outside of the process or isolate, nearest first. */
  readonly tiers?: readonly Tier[];
  /** The store for layers, if there is one. */
  readonly store?: BlobStore | undefined;
}
