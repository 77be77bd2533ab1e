import type { Behind } from './behind.ts';
import type { LoopbackServer } from './loopback.ts';
import type { TokenService } from './token-service.ts';

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The habits of one kind of registry, in front of a real one. */
export interface Habit {
  readonly name: string;
  /** What clients must log in with. */
  readonly login?: Login;
  /** Says that it counts GETs of manifests, as Docker Hub does. */
  readonly countsPulls?: true;
  /** @param registryUrl the real one's. */
  start(registryUrl: string): Promise<Upstream>;
}

/** A habit that runs. */
export interface Upstream {
  /** For REGSHIFT_UPSTREAM. */
  readonly url: string;
  readonly registry: LoopbackServer;
  /** Another host, to which blobs are redirected. */
  readonly storage?: LoopbackServer;
  /** A token server on a host of its own. */
  readonly tokenServer?: LoopbackServer;
  readonly tokens?: TokenService;
  stop(): Promise<void>;
}

export function basicOf({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Forgets what all of its servers were asked. */
export function forget({ registry, storage, tokenServer }: Upstream): void {
  for (const server of [registry, storage, tokenServer]) server?.forget();
}

/** Stops servers, the connections to the real registry last. */
export async function stopAll(
  servers: readonly (LoopbackServer | undefined)[],
  registry: Behind,
): Promise<void> {
  for (const server of servers) await server?.stop();
  registry.stop();
}
