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
  /** The login that clients need. */
  readonly login?: Login;
  /** Whether the registry counts GETs of manifests, as Docker Hub does. */
  readonly countsPulls?: true;
  /** Starts the habit. @param registryUrl the address of the real registry. */
  start(registryUrl: string): Promise<Upstream>;
}

/** A running habit. */
export interface Upstream {
  /** The address for REGSHIFT_UPSTREAM. */
  readonly url: string;
  readonly registry: LoopbackServer;
  /** The host that blobs are redirected to. */
  readonly storage?: LoopbackServer;
  /** A token server on a separate host. */
  readonly tokenServer?: LoopbackServer;
  readonly tokens?: TokenService;
  stop(): Promise<void>;
}

export function basicOf({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Clears the recorded requests of all its servers. */
export function forget({ registry, storage, tokenServer }: Upstream): void {
  for (const server of [registry, storage, tokenServer]) server?.forget();
}

/** Stops servers, and at last the connections to the real registry. */
export async function stopAll(
  servers: readonly (LoopbackServer | undefined)[],
  registry: Behind,
): Promise<void> {
  for (const server of servers) await server?.stop();
  registry.stop();
}
