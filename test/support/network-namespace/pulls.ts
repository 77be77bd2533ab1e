/**
 * Runs in a network of its own (`setup.sh`), where names have addresses that cannot be reached. Prints for each case the
 * status that curl gets from the registry and from regshift in front of it, as JSON.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaTypes } from '../../../converters/media-types.ts';
import { startDockerRegistry } from '../docker-registry.ts';
import { runProgram } from '../programs.ts';
import { startProxy } from '../proxy.ts';

/** The statuses that curl gets; 000 for no response. */
export interface Statuses {
  readonly straight: string;
  readonly throughProxy: string;
}

type Environment = Readonly<Record<string, string>>;

/** @returns the status of a manifest. @param environment the outbound proxies of curl. */
function curl(registryUrl: string, home: string, environment: Environment = {}): Promise<string> {
  const options = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}', '--max-time', '15'];
  const header = ['--header', `Accept: ${mediaTypes.ociManifest}`];
  const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const url = `${registryUrl}/v2/sample/oci/manifests/latest`;
  // The status is the result, also where curl fails.
  return runProgram('env', [...set, 'sh', '-c', 'curl "$@"; :', 'curl', ...options, ...header, url], home);
}

/** @param environment the outbound proxies of curl and of regshift, which reads them at its start. */
async function compare(upstream: string, home: string, environment: Environment = {}): Promise<Statuses> {
  Object.assign(process.env, environment);
  const proxy = await startProxy(upstream);
  for (const name of Object.keys(environment)) delete process.env[name];
  try {
    const straight = await curl(upstream, home, environment);
    return { straight, throughProxy: await curl(`http://127.0.0.1:${proxy.port}`, home) };
  } finally {
    await proxy.stop();
  }
}

const registry = await startDockerRegistry({ host: '0.0.0.0', samples: ['sample/oci'] });
const home = await mkdtemp(join(tmpdir(), 'regshift-namespace-'));
// curl reads the proxy of plain HTTP in lower case alone.
const outbound = { http_proxy: 'http://127.0.0.1:1', NO_PROXY: 'x.example,192.0.2.0/24' };
try {
  const statuses: Record<string, Statuses> = {};
  const compareName = async (name: string) => {
    statuses[name] = await compare(`http://${name}.example:${registry.port}`, home);
  };
  await Promise.all(['noroute', 'dropped', 'distant-and-dropped'].map(compareName));
  // The packets to its address are counted, so no other case may connect to it at the same time.
  await compareName('distant');
  statuses['in NO_PROXY'] = await compare(`http://192.0.2.1:${registry.port}`, home, outbound);
  statuses['not in NO_PROXY'] = await compare(`http://198.51.100.1:${registry.port}`, home, outbound);
  console.log(JSON.stringify(statuses));
} finally {
  await registry.stop();
  await rm(home, { recursive: true });
}
process.exit();
