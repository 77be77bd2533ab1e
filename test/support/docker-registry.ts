import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startDaemon } from './daemon.ts';

export interface DockerRegistryOptions {
  /**
   * Whether it takes schema 1 when it is pushed; true when not said. It converts schema 2 down for old clients
   * either way, and signs with a key that it makes at start.
   */
  readonly schema1Enabled?: boolean;
  readonly deleteEnabled?: boolean;
  /** Lines of `user:bcrypt`; whoever is not in there reads and writes nothing. Open to all when not said. */
  readonly htpasswd?: string;
}

export interface DockerRegistry {
  readonly url: string;
  readonly port: number;
  /** The root directory of its filesystem storage; `seedVectors` writes there. */
  readonly storage: string;
  stop(): Promise<void>;
}

/** Runs the real docker-registry 2.8.2, the reference converter, on a free port of 127.0.0.1. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-docker-registry-'));
  const storage = join(directory, 'storage');
  const port = await freePort();
  const config = join(directory, 'config.yml');
  const htpasswd = join(directory, 'htpasswd');
  if (options.htpasswd !== undefined) await writeFile(htpasswd, options.htpasswd);
  const auth =
    options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: htpasswd } } };
  await writeFile(config, JSON.stringify({ ...configuration(storage, port, options), ...auth }));

  const url = `http://127.0.0.1:${port}`;
  const { stop } = await startDaemon({
    program: 'docker-registry',
    args: ['serve', config],
    directory,
    isReady: async () => {
      const response = await fetch(`${url}/v2/`);
      await response.body?.cancel();
      return response.ok || (options.htpasswd !== undefined && response.status === 401);
    },
  });
  return { url, port, storage, stop };
}

/** JSON is YAML. */
function configuration(storage: string, port: number, options: DockerRegistryOptions): object {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: options.deleteEnabled ?? false },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}`, secret: 'of a test' },
    compatibility: { schema1: { enabled: options.schema1Enabled ?? true } },
  };
}
