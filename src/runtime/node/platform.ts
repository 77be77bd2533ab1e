import { readFile } from 'node:fs/promises';
import { createMemoryBudget, type MemoryBudget } from '../../cache/memory-budget.ts';
import type { TableName } from '../../cache/table-shares.ts';
import { systemClock, systemWallClock } from '../../clock.ts';
import type { RuntimePlatform } from '../../compose/platform.ts';
import { createWorkTurns } from '../../concurrency/work-turns.ts';
import type { Log } from '../../observability/log.ts';
import { noMetrics } from '../../observability/metrics.ts';
import { createAskHelper } from './credential-helper.ts';
import { createHttpFetch } from './http/fetch.ts';
import { createNodeLayerCodec } from './layers/codec.ts';
import { createPasswordWorker } from './password-worker.ts';

/** A layer in transit takes two connections and some 200 KB. The limit is a fuse, not a measure of work. */
const mostRequests = 5_000;

/**
 * The memory budget of a process on Node.
 * @param bytes REGSHIFT_CACHE_BYTES.
 */
export function nodeMemory(bytes = 67_108_864, unused: readonly TableName[] = ['redis']): MemoryBudget {
  return createMemoryBudget(bytes, unused);
}

/** The platform of Node. */
export function nodePlatform(log: Log, memory: MemoryBudget = nodeMemory()): RuntimePlatform {
  return {
    fetch: createHttpFetch(undefined, log),
    clock: systemClock,
    wallClock: systemWallClock,
    log,
    metrics: noMetrics,
    mostRequests,
    signingKeyText,
    codec: createNodeLayerCodec(),
    layerBytes: Number.POSITIVE_INFINITY,
    subrequests: Number.POSITIVE_INFINITY,
    memory,
    // Node sends a stream with the Content-Length of the response.
    fixedLength: (stream) => stream,
    background: () => undefined,
    askHelper: createAskHelper(),
    turn: createWorkTurns(setImmediate),
    comparePassword: createPasswordWorker({ log, clock: systemClock }),
  };
}

/**
 * The setting contains the key itself, or the path to a file with it.
 * @throws the system's error.
 */
export async function signingKeyText(setting: string): Promise<string> {
  const isKey = setting.trimStart().startsWith('{') || setting.includes('-----BEGIN');
  return isKey ? setting : readFile(setting, 'utf8');
}
