import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { reasonToSkip, requirePeers } from '../support/programs.ts';
import { projectRoot } from '../support/wrangler.ts';

/** A name with an IPv6 address whose packets get lost, and an IPv4 address where the first packet of each connection does. */
const network = `
ip link set lo up
ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
ip addr add 10.9.0.1/24 dev v0
ip -6 addr add fd00:9::1/64 dev v0 nodad
ip -6 neigh add fd00:9::2 lladdr 02:00:00:00:00:02 dev v0 nud permanent
nft add table ip f
nft add chain ip f in '{ type filter hook input priority 0; }'
nft add set ip f seen '{ type inet_service; flags dynamic; size 1024; }'
nft add rule ip f in tcp dport 5000 'tcp flags & (syn|ack) == syn' tcp sport @seen accept
nft add rule ip f in tcp dport 5000 'tcp flags & (syn|ack) == syn' add @seen '{ tcp sport }' drop
mount --bind hosts /etc/hosts
mount --bind gai.conf /etc/gai.conf`;

const script = `set -e
${network}
docker-registry serve registry.yml > registry.log 2>&1 & registry=$!
"$NODE" "$ROOT/src/start.js" serve > proxy.log 2>&1 & proxy=$!
trap 'kill $registry $proxy' EXIT
for each in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:8080/healthz && break; sleep 0.1; done
ask() { curl -s -o "$1" -w '%{http_code} ' --max-time 20 "$2"; }
ask straight http://registry.example:5000/v2/_catalog
ask through http://127.0.0.1:8080/v2/_catalog
ask again http://127.0.0.1:8080/v2/_catalog
test "$(cat straight)" = "$(cat through)"`;

function namespaces(): string[] {
  const { status } = spawnSync('unshare', ['-nm', 'nft', 'list', 'ruleset']);
  return status === 0 ? [] : ['network namespaces with nftables (a task of root)'];
}

/** Which address the resolver puts first (gai.conf(5)). */
const orders = [
  ['IPv6', 'precedence ::/0 100'],
  ['IPv4', 'precedence ::ffff:0:0/96 100'],
] as const;

it.skipIf(requirePeers('docker-registry', 'curl', 'ip', 'nft') ?? reasonToSkip(namespaces())).each(orders)(
  'a registry is reached as by curl, by %s first: IPv6 loses all packets, and IPv4 the first of a connection',
  { timeout: 60_000 },
  (_, precedence) => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-dual-stack-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(
      join(folder, 'hosts'),
      '127.0.0.1 localhost\nfd00:9::2 registry.example\n10.9.0.1 registry.example\n',
    );
    writeFileSync(join(folder, 'gai.conf'), `${precedence}\n`);
    const storage = { filesystem: { rootdirectory: join(folder, 'storage') } };
    writeFileSync(
      join(folder, 'registry.yml'),
      JSON.stringify({ version: '0.1', storage, http: { addr: '10.9.0.1:5000' } }),
    );
    const { stdout, stderr, status } = spawnSync('unshare', ['-nm', 'bash', '-c', script], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 50_000,
      env: {
        PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
        HOME: folder,
        NODE: process.execPath,
        ROOT: projectRoot,
        REGSHIFT_UPSTREAM: 'http://registry.example:5000',
        PORT: '8080',
      },
    });
    expect([stdout.trim(), status], stderr).toEqual(['200 200 200', 0]);
  },
);
