import { readFile } from 'node:fs/promises';
import { type MachineRoles, machineRoles } from '../../auth/clouds/machine-roles.ts';
import { createMemoryBudget, type MemoryBudget } from '../../cache/memory-budget.ts';
import type { TableName } from '../../cache/table-shares.ts';
import { systemClock, systemWallClock } from '../../clock.ts';
import type { RuntimePlatform } from '../../compose/platform.ts';
import { createWorkTurns } from '../../concurrency/work-turns.ts';
import type { Settings } from '../../config/settings.ts';
import { RegistryError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import { noMetrics } from '../../observability/metrics.ts';
import type { UpstreamConnection } from '../../upstream/connection.ts';
import {
  chooseProxy,
  type OutboundProxies,
  proxyForm,
  readProxyEnvironment,
} from '../../upstream/outbound-proxy.ts';
import { createAskHelper } from './credential-helper.ts';
import { readFile as readSettingFile } from './files.ts';
import { certificateProblem } from './http/connections.ts';
import { createHttpFetch } from './http/fetch.ts';
import { createNodeLayerCodec } from './layers/codec.ts';
import { createPasswordWorker } from './password-worker.ts';
import { routeFetch } from './route-fetch.ts';
import { upstreamCertificateWarning } from './tls/certificate.ts';

/** A layer in transit takes two connections and some 200 KB. The limit is a fuse, not a measure of work. */
export const mostRequests = 5_000;

/** The settings that decide about the memory of a process. */
type MemorySettings = Pick<Settings, 'REGSHIFT_CACHE_BYTES' | 'REGSHIFT_REDIS_URL' | 'REGSHIFT_STORE'>;

/** The memory budget of a process on Node. */
export function nodeMemory(settings: Partial<MemorySettings> = {}): MemoryBudget {
  const { REGSHIFT_CACHE_BYTES: bytes = 67_108_864, REGSHIFT_REDIS_URL, REGSHIFT_STORE } = settings;
  const unused: readonly TableName[] = [
    ...(REGSHIFT_REDIS_URL ? [] : (['redis'] as const)),
    ...(REGSHIFT_STORE ? [] : (['layer-proofs'] as const)),
  ];
  return createMemoryBudget(bytes, unused);
}

export interface NodePlatform extends RuntimePlatform {
  readonly machine: MachineRoles;
}

/** The platform of Node. @throws RegistryError MISCONFIGURED for an outbound proxy that is no URL. */
export function nodePlatform(log: Log, memory: MemoryBudget = nodeMemory()): NodePlatform {
  const environment = environmentProxies();
  const fetch = createHttpFetch(undefined, log, { proxyFor: chooseProxy(environment) });
  const fetchOver = ({ proxy, tls }: UpstreamConnection) => {
    const wrong = tls && certificateProblem(tls);
    if (wrong) throw new RegistryError('MISCONFIGURED', `${wrong.variable} ${wrong.message}.`);
    const warning = tls?.certificate && upstreamCertificateWarning(tls.certificate.cert, systemWallClock());
    if (warning) log('warn', warning.message, warning.facts);
    return createHttpFetch(undefined, log, { proxyFor: chooseProxy(proxiesOf(proxy, environment)), tls });
  };
  return {
    fetch,
    fetchFor: (route, newest) => routeFetch(route, newest, { fetch, fetchOver, log }),
    clock: systemClock,
    wallClock: systemWallClock,
    log,
    metrics: noMetrics,
    mostRequests,
    signingKeyText,
    signingKeyStep: 'run: npx regshift keygen --out key.pem, and set REGSHIFT_SIGNING_KEY=key.pem',
    codec: createNodeLayerCodec(),
    layerBytes: Number.POSITIVE_INFINITY,
    subrequests: Number.POSITIVE_INFINITY,
    memory,
    // Node sends a stream with the Content-Length of the response.
    fixedLength: (stream) => stream,
    forwardBody: (body) => body,
    background: () => undefined,
    askHelper: createAskHelper(),
    machine: machineRoles({
      variables: process.env,
      readFile: readIdentityFile,
      fetch: createHttpFetch(undefined, log),
    }),
    turn: createWorkTurns(setImmediate),
    moreErrors: async () => (await import('../../http/page/node-error-entries.ts')).nodeErrorEntries,
    comparePassword: createPasswordWorker({ log, clock: systemClock }),
  };
}

/** The message does not quote the path, which may be a secret in the wrong place. */
async function readIdentityFile(variable: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new RegistryError('MISCONFIGURED', `The file that ${variable} names cannot be read (${code}).`);
  }
}

/** @throws RegistryError MISCONFIGURED for a value that is not the URL of a proxy. */
function environmentProxies(): OutboundProxies {
  const { wrong, ...proxies } = readProxyEnvironment(process.env);
  if (wrong[0] !== undefined) throw new RegistryError('MISCONFIGURED', `${wrong[0]} ${proxyForm}.`);
  return proxies;
}

/** `NO_PROXY` also applies to the proxy of a route, as it does to `curl --proxy`. */
function proxiesOf(proxy: UpstreamConnection['proxy'], environment: OutboundProxies): OutboundProxies {
  if (proxy === undefined) return environment;
  const own = proxy === 'none' ? undefined : proxy;
  return { ...environment, http: own, https: own };
}

/**
 * The setting contains the key itself, or the path to a file with it.
 * @throws UnreadableFileError.
 */
export async function signingKeyText(setting: string): Promise<string> {
  const isKey = setting.trimStart().startsWith('{') || setting.includes('-----BEGIN');
  return isKey ? setting : readSettingFile(setting);
}
