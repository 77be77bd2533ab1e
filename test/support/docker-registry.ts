import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCertificate } from './certificate.ts';
import { freePort, isListening, startDaemon } from './daemon.ts';
import { pushSample } from './push.ts';

export interface DockerRegistryOptions {
  /**
   * Whether it takes schema 1 manifests in a push; true by default. It converts schema 2 to schema 1 for old clients
   * either way, and signs with a key that it makes at its start.
   */
  readonly schema1Enabled?: boolean;
  readonly deleteEnabled?: boolean;
  /** Whether it takes manifests with foreign layers, which have URLs (its setting `validation.manifests.urls`). */
  readonly foreignLayers?: boolean;
  /** The address that it listens at; 127.0.0.1 by default. */
  readonly host?: string;
  /** Lines of `user:bcrypt`: only these users read and write. Without it the registry is open to all. */
  readonly htpasswd?: string;
  /** The token server whose tokens it takes (distribution, "Configuring a registry", auth.token). */
  readonly token?: Readonly<Record<'realm' | 'service' | 'issuer' | 'rootcertbundle', string>>;
  /** Headers of each response, like those of CORS (its setting `http.headers`). */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** Samples that are pushed into it, as `alice` where there is an htpasswd. */
  readonly samples?: readonly string[];
  /** The storage of another registry that runs, to serve the same content in another way. */
  readonly storage?: string;
  /** It speaks TLS with this certificate. It gets no samples, because `fetch` does not trust the certificate. */
  readonly tls?: TestCertificate;
  /** The address that it writes into `Location` (its setting `http.host`). */
  readonly named?: string;
  /** Whether `Location` is a path instead of a URL (its setting `http.relativeurls`). */
  readonly relativeLocations?: boolean;
  /** The registry that it is a mirror of (its setting `proxy.remoteurl`). */
  readonly mirrorOf?: string;
  /** Where it sends its events (its setting `notifications.endpoints`), with these headers. */
  readonly notifications?: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
}

/** The bcrypt hash of `secret`, at the lowest cost. */
export const hashOfSecret = '$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';

/** A user for an htpasswd, and the login of that user. */
export const alice = { htpasswd: `alice:${hashOfSecret}\n`, login: 'alice:secret' } as const;

export interface DockerRegistry {
  readonly url: string;
  readonly port: number;
  /** The root directory of its filesystem storage; `seedVectors` writes there. */
  readonly storage: string;
  stop(): Promise<void>;
}

/** Runs the real docker-registry 2.8.2, the reference converter, on a free port. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-docker-registry-'));
  const storage = options.storage ?? join(directory, 'storage');
  const port = await freePort();
  const config = join(directory, 'config.yml');
  const htpasswd = join(directory, 'htpasswd');
  if (options.htpasswd !== undefined) await writeFile(htpasswd, options.htpasswd);
  const schemes = {
    ...(options.htpasswd === undefined ? {} : { htpasswd: { realm: 'test', path: htpasswd } }),
    ...(options.token === undefined ? {} : { token: options.token }),
  };
  const auth = Object.keys(schemes).length === 0 ? {} : { auth: schemes };
  const tls = options.tls && (await writeTls(directory, options.tls));
  await writeFile(config, JSON.stringify({ ...configuration(storage, port, options, tls), ...auth }));

  const url = `${options.tls ? 'https' : 'http'}://${options.host ?? '127.0.0.1'}:${port}`;
  const { stop } = await startDaemon({
    program: 'docker-registry',
    args: ['serve', config],
    directory,
    isReady: async () => {
      if (options.tls) return isListening(port);
      const response = await fetch(`${url}/v2/`);
      await response.body?.cancel();
      return response.ok || ('auth' in auth && response.status === 401);
    },
  });
  try {
    for (const sample of options.samples ?? []) {
      await pushSample(url, sample, options.htpasswd === undefined ? undefined : alice.login);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, storage, stop };
}

async function writeTls(directory: string, { cert, key }: TestCertificate): Promise<object> {
  const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  await writeFile(files.certificate, cert);
  await writeFile(files.key, key);
  return files;
}

/** The configuration as JSON, which is YAML. */
function configuration(
  storage: string,
  port: number,
  options: DockerRegistryOptions,
  tls: object | undefined,
): object {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: options.deleteEnabled ?? false },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: `${options.host ?? '127.0.0.1'}:${port}`,
      secret: 'of a test',
      ...(options.named === undefined ? {} : { host: options.named }),
      headers: options.headers ?? {},
      relativeurls: options.relativeLocations ?? false,
      ...(tls && { tls }),
    },
    ...(options.foreignLayers && { validation: { manifests: { urls: { allow: ['^https://'] } } } }),
    compatibility: { schema1: { enabled: options.schema1Enabled ?? true } },
    ...(options.mirrorOf === undefined ? {} : { proxy: { remoteurl: options.mirrorOf } }),
    ...(options.notifications && { notifications: notificationsTo(options.notifications) }),
  };
}

/** As docs/events.md has them, but without a long wait after a failure. */
function notificationsTo({ url, headers }: NonNullable<DockerRegistryOptions['notifications']>): object {
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const times = { timeout: '5s', threshold: 5, backoff: '500ms' };
  return {
    endpoints: [{ name: 'regshift', url, headers: lists, ...times, ignore: { actions: ['pull'] } }],
  };
}
