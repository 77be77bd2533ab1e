import { readSettings } from '../../src/config/settings.ts';
import type { Log } from '../../src/observability/log.ts';
import { readFile } from '../../src/runtime/node/files.ts';
import { serve } from '../../src/runtime/node/serve.ts';
import { checkedSettings } from './checked-settings.ts';
import { testSigningKey } from './signing-key.ts';

export interface RunningProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Runs regshift on Node in front of an upstream, on a free port. Each proxy starts with empty caches; only the signing
 * key is the same.
 * @param variables the settings of an operator.
 */
export async function startProxy(
  upstream: string,
  variables: Record<string, string> = {},
  log: Log = () => {},
): Promise<RunningProxy> {
  const read = readSettings(
    {
      REGSHIFT_UPSTREAM: upstream,
      REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
      PORT: '0',
      ...variables,
    },
    readFile,
  );
  const { url, close } = await serve(await checkedSettings(read), log);
  return { port: Number(new URL(url).port), stop: close };
}
