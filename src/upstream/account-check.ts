import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Credential } from './auth/credential.ts';
import { loginProblem } from './check-registry.ts';
import type { UpstreamClient } from './client.ts';

export interface AccountCheckOptions {
  /** The id of the route. */
  readonly route: string;
  /** The registries of the route, each with the account of the proxy there. */
  readonly accounts: readonly { readonly client: UpstreamClient; readonly credential: Credential }[];
  readonly metrics: Pick<Metrics, 'accountRefused'>;
  readonly log: Log;
  readonly clock: Clock;
  readonly background: (work: Promise<unknown>) => void;
}

/** Time between two looks, and so between two lines of the log. */
const everyMs = 60_000;

/**
 * Finds out whether a registry refuses the account of the proxy: registries also answer 401 for a repository that does
 * not exist, so the account is shown at the ping, which names none.
 * @returns a function to call when a registry has refused a request by that account.
 */
export function createAccountCheck(options: AccountCheckOptions): () => void {
  const { route, accounts, metrics, log, clock, background } = options;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isRefused = false;
  // An increase from no series is none for Prometheus.
  if (accounts.length > 0) metrics.accountRefused(route, 0);

  async function look(): Promise<void> {
    const problems = accounts.map(async ({ client, credential }) => {
      const reason = await loginProblem(client, credential);
      if (reason === undefined) return false;
      log('warn', 'the registry cannot be used', { route, registry: client.id, reason });
      return true;
    });
    const before = isRefused;
    isRefused = (await Promise.all(problems)).includes(true);
    if (isRefused && !before) metrics.accountRefused(route, 1);
  }

  return () => {
    if (isRefused) metrics.accountRefused(route, 1);
    if (clock() - lookedAt < everyMs) return;
    lookedAt = clock();
    background(look());
  };
}
