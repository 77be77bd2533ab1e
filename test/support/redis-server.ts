import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { runProgram } from './programs.ts';

export interface RedisServerOptions {
  /** To listen where another one did before; a free port when not said. */
  readonly port?: number;
  /** Of the one user that there is. */
  readonly password?: string;
  /** To speak TLS and nothing else. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly settings?: readonly string[];
}

export interface RedisServer extends Daemon {
  readonly port: number;
  /** For REGSHIFT_REDIS_URL. */
  readonly url: string;
}

/** Runs a real redis-server on 127.0.0.1 that keeps nothing on disk. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { password, tls, settings = [] } = options;
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'regshift-redis-'));
  const daemon = await startDaemon({
    program: 'redis-server',
    args: [
      ...['--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'],
      ...(tls ? ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no'] : ['--port', `${port}`]),
      ...(tls ? ['--tls-cert-file', tls.certificate, '--tls-key-file', tls.key] : []),
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...settings,
    ],
    directory,
    isReady: () => isListening(port),
  });
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return { ...daemon, port, url: `${tls ? 'rediss' : 'redis'}://${login}127.0.0.1:${port}` };
}

/** Makes a certificate for 127.0.0.1 in a directory, with openssl. The certificate is its own authority. */
export async function certificateOf127001(
  directory: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')];
  const names = ['-subj', '/CN=redis of a test', '-days', '2', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  await runProgram('openssl', ['req', '-x509', ...newKey, ...names, '-out', certificate], directory);
  return { certificate, key };
}

/** Writes entries that never expire into a Redis. */
export async function writeToRedis(
  url: string,
  entries: Iterable<readonly [name: string, value: Uint8Array]>,
): Promise<void> {
  const client = createClient({ url, RESP: 2 });
  await client.connect();
  for (const [name, value] of entries) await client.set(name, Buffer.from(value));
  await client.close();
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
