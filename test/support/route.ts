import { readSettings } from '../../src/config/settings.ts';
import { serve } from '../../src/runtime/node/serve.ts';
import { checkedSettings } from './checked-settings.ts';
import { type Relay, startRelay } from './relay.ts';

export interface Route {
  /** Where clients connect: a relay in front of the proxy. */
  readonly relay: Relay;
  stop(): Promise<void>;
}

/**
 * Runs regshift on Node in front of an upstream, on a free port.
 * @param variables as an operator would set them.
 */
export async function startRoute(upstream: string, variables: Record<string, string> = {}): Promise<Route> {
  const read = readSettings({ REGSHIFT_UPSTREAM: upstream, PORT: '0', ...variables });
  const proxy = await serve(await checkedSettings(read), () => {});
  const relay = await startRelay(proxy.url);
  const stop = async () => {
    await relay.stop();
    await proxy.close();
  };
  return { relay, stop };
}
