import { type DockerRegistry, type DockerRegistryOptions, startDockerRegistry } from './docker-registry.ts';
import { type RunningProxy, startProxy } from './proxy.ts';

/** The same registry without regshift and with it. */
export interface SideBySide {
  /** The address of the registry without TLS, for pushes and for further proxies. */
  readonly registry: string;
  /** The address of the registry itself, like `http://127.0.0.1:41234`. */
  readonly straight: string;
  /** The address of the proxy in front of it. */
  readonly through: string;
  stop(): Promise<void>;
}

/** The results of a client on both sides. The registry may refuse; the proxy may not. */
export interface Outcomes<Result> {
  /** The result, or `refused` with the client's message. */
  readonly straight: Result | { readonly refused: string };
  readonly through: Result;
}

/** Starts docker-registry with samples, and a proxy in front of it. */
export async function startSideBySide(samples: readonly string[]): Promise<SideBySide> {
  const registry = await startDockerRegistry({ samples });
  const proxy = await startProxy(registry.url).catch(stopping(registry));
  return sides(registry.url, registry.url, `http://127.0.0.1:${proxy.port}`, [proxy, registry]);
}

/**
 * Starts both sides with TLS. The proxy asks the registry without TLS, because it does not trust the certificate.
 * @param options of both registries.
 */
export async function startSecureSides(
  samples: readonly string[],
  tls: NonNullable<DockerRegistryOptions['tls']>,
  options: DockerRegistryOptions = {},
): Promise<SideBySide> {
  const plain = await startDockerRegistry({ ...options, samples });
  const secure = await startDockerRegistry({ ...options, storage: plain.storage, tls }).catch(
    stopping(plain),
  );
  const variables = { REGSHIFT_TLS_CERT: tls.cert, REGSHIFT_TLS_KEY: tls.key };
  const proxy = await startProxy(plain.url, variables).catch(stopping(secure, plain));
  return sides(plain.url, secure.url, `https://127.0.0.1:${proxy.port}`, [proxy, secure, plain]);
}

/** Runs a client at the registry, then at the proxy. @throws the error of the client at the proxy. */
export async function onBothSides<Result>(
  { straight, through }: Pick<SideBySide, 'straight' | 'through'>,
  run: (url: string) => Promise<Result>,
): Promise<Outcomes<Result>> {
  const refused = (error: Error) => ({ refused: error.message.trim() });
  return { straight: await run(straight).catch(refused), through: await run(through) };
}

type Stoppable = DockerRegistry | RunningProxy;

function sides(registry: string, straight: string, through: string, parts: readonly Stoppable[]): SideBySide {
  const stop = async () => {
    for (const part of parts) await part.stop();
  };
  return { registry, straight, through, stop };
}

function stopping(...parts: readonly Stoppable[]): (error: unknown) => Promise<never> {
  return async (error) => {
    for (const part of parts) await part.stop();
    throw error;
  };
}
