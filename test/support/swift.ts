import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Daemon, freePort, startDaemon } from './daemon.ts';

export const swiftPrograms = [
  'unshare',
  'memcached',
  'swift-ring-builder',
  'swift-proxy-server',
  'swift-object-server',
];

export const swiftKey = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };
export const swiftRegion = 'eu-west-1';

export interface Swift extends Daemon {
  readonly endpoint: URL;
}

const run = promisify(execFile);
const servers = ['object', 'container', 'account'] as const;

/**
 * OpenStack Swift with its S3 API, on one device: swift-proxy-server with s3api and tempauth, the three storage servers,
 * and the memcached that s3api needs. Swift reads /etc/swift, so it gets a mount namespace with a folder in that place.
 */
export async function startSwift(): Promise<Swift> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-swift-'));
  const etc = join(home, 'etc');
  await mkdir(join(home, 'srv', 'd1'), { recursive: true });
  await mkdir(etc);
  const [proxyPort, cachePort] = [await freePort(), await freePort()];
  await writeFile(
    join(etc, 'swift.conf'),
    '[swift-hash]\nswift_hash_path_prefix = regshift\nswift_hash_path_suffix = regshift\n[storage-policy:0]\nname = gold\ndefault = yes\n',
  );
  for (const kind of servers) {
    const port = await freePort();
    const builder = join(etc, `${kind}.builder`);
    const device = [
      '--region',
      '1',
      '--zone',
      '1',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--device',
      'd1',
    ];
    await run('swift-ring-builder', [builder, 'create', '2', '1', '1']);
    await run('swift-ring-builder', [builder, 'add', ...device, '--weight', '1']);
    await run('swift-ring-builder', [builder, 'rebalance']);
    await writeFile(join(etc, `${kind}.conf`), storageConf(kind, port, join(home, 'srv')));
  }
  await writeFile(join(etc, 'proxy.conf'), proxyConf(proxyPort, cachePort));
  const commands = [
    'mkdir -p /etc/swift',
    `mount --bind ${etc} /etc/swift`,
    `{ memcached -u root -l 127.0.0.1 -p ${cachePort} -m 16 & }`,
    ...servers.map((kind) => `{ swift-${kind}-server /etc/swift/${kind}.conf & }`),
    'exec swift-proxy-server /etc/swift/proxy.conf',
  ];
  const daemon = await startDaemon({
    program: 'unshare',
    args: ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', commands.join(' && ')],
    directory: home,
    isReady: async () => (await fetch(`http://127.0.0.1:${proxyPort}/healthcheck`)).ok,
  });
  return { ...daemon, endpoint: new URL(`http://127.0.0.1:${proxyPort}`) };
}

const common = (port: number) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = root
swift_dir = /etc/swift
log_level = ERROR
`;

function storageConf(kind: string, port: number, devices: string): string {
  return `${common(port)}devices = ${devices}
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;
}

function proxyConf(port: number, cachePort: number): string {
  const filters = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'copy', 'dlo'];
  return `${common(port)}[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cachePort}
[filter:s3api]
use = egg:swift#s3api
location = ${swiftRegion}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
min_segment_size = 1048576
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`).join('')}`;
}
