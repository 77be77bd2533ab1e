import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startDaemon } from './daemon.ts';

/** A proxy that requires the login `user:secret`, denies `denied.example`, and has docker-registry as `registry.example`. */
export interface OutboundProxy {
  readonly host: string;
  stop(): Promise<void>;
}

/** @param registryPort the port of this machine for `registry.example`. */
export type StartOutboundProxy = (registryPort: number) => Promise<OutboundProxy>;

export const startTinyproxy: StartOutboundProxy = async (registryPort) => {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-tinyproxy-'));
  const file = join(directory, 'tinyproxy.conf');
  await writeFile(join(directory, 'filter'), 'denied.example\n');
  const port = await freePort();
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'BasicAuth user secret',
    'ConnectPort 443',
    `Filter "${join(directory, 'filter')}"`,
    `LogFile "${join(directory, 'log')}"`,
    `Upstream http 127.0.0.1:${registryPort} "registry.example"`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return start('tinyproxy', ['-d', '-c', file], directory, port);
};

export const startSquid: StartOutboundProxy = async (registryPort) => {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-squid-'));
  // Squid gives up the rights of root.
  await chmod(directory, 0o777);
  const file = join(directory, 'squid.conf');
  const hash = execFileSync('openssl', ['passwd', '-apr1', 'secret'], { encoding: 'utf8' });
  await writeFile(join(directory, 'users'), `user:${hash}`);
  const port = await freePort();
  const lines = [
    `http_port 127.0.0.1:${port}`,
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${join(directory, 'users')}`,
    'acl known proxy_auth REQUIRED',
    'acl denied dstdomain denied.example',
    'acl ours dstdomain registry.example',
    'acl tunnel method CONNECT',
    'acl tls port 443',
    'http_access deny denied',
    'http_access deny tunnel !tls',
    'http_access allow known',
    'http_access deny all',
    `cache_peer 127.0.0.1 parent ${registryPort} 0 no-query no-digest originserver default`,
    'cache_peer_access 127.0.0.1 allow ours',
    'cache_peer_access 127.0.0.1 deny all',
    'never_direct allow ours',
    'cache deny all',
    'access_log none',
    `cache_log ${join(directory, 'log')}`,
    `pid_filename ${join(directory, 'pid')}`,
    `coredump_dir ${directory}`,
    'shutdown_lifetime 0 seconds',
    'dns_timeout 1 seconds',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  // The name begins those of its shared memory: what a killed squid has left there stops another one of its name.
  return start('squid', ['-N', '-n', `regshift${port}`, '-f', file], directory, port);
};

async function start(
  program: string,
  args: readonly string[],
  directory: string,
  port: number,
): Promise<OutboundProxy> {
  const isReady = () =>
    new Promise<boolean>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
      socket.once('error', reject);
    });
  const { stop } = await startDaemon({ program, args, directory, isReady });
  return { host: `127.0.0.1:${port}`, stop };
}
