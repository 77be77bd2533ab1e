import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Statuses } from '../support/network-namespace/pulls.ts';
import { requirePeers } from '../support/programs.ts';

const support = join(import.meta.dirname, '../support/network-namespace');
const own = ['--net', '--mount'];

/** The reason why this machine has no networks for tests. A container often lacks the right, so that it is no fault. */
function refusal(): string | undefined {
  try {
    const rule = 'iptables --append OUTPUT --match statistic --mode nth --every 2 --packet 0 --jump DROP';
    execFileSync('unshare', [...own, 'sh', '-c', rule], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const reason = `the kernel gives no network namespace with filters: ${String(error).slice(0, 300)}`;
    console.warn(`\n*** SKIPPED, tests of distant registries: ${reason} ***\n`);
    return reason;
  }
}

const programs = ['docker-registry', 'curl', 'unshare', 'ip', 'iptables'];

describe.skipIf(requirePeers(...programs) ?? refusal())('what curl reaches, regshift reaches', () => {
  let statuses: Record<string, Statuses>;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-namespace-names-'));
    try {
      const program = [join(support, 'setup.sh'), join(folder, 'hosts')];
      const script = [process.execPath, join(support, 'pulls.ts')];
      const { stdout } = await promisify(execFile)('unshare', [...own, ...program, ...script]);
      statuses = JSON.parse(stdout);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['noroute', 'a name with an IPv6 address without a route'],
    ['dropped', 'a name with an IPv6 address whose packets are dropped'],
    ['distant', 'an IPv4 address that takes a second, beside an IPv6 address without a route'],
    ['distant-and-dropped', 'an IPv4 address that takes a second, beside one whose packets are dropped'],
    ['in NO_PROXY', 'an address in a range of NO_PROXY'],
  ])('%s: %s', (name) => {
    expect(statuses[name]).toEqual({ straight: '200', throughProxy: '200' });
  });

  it('an address outside of NO_PROXY is asked for through the outbound proxy by both', () => {
    expect(statuses['not in NO_PROXY']).toEqual({ straight: '000', throughProxy: '502' });
  });
});
