import { type Digest, digestAlgorithm } from '../../../converters/digest.ts';
import { byteText } from '../../byte-text.ts';
import { systemWallClock } from '../../clock.ts';
import { formatProblems } from '../../config/problem.ts';
import { readSomeSettings } from '../../config/settings.ts';
import { counted } from '../../counted.ts';
import { createDigester } from '../../layers/digester.ts';
import type { BlobName, BlobStore } from '../../layers/store/blob-store.ts';
import { S3Error } from '../../layers/store/s3/s3-error.ts';
import { createJsonLog } from '../../observability/log.ts';
import { asText } from '../../observability/log-format.ts';
import { endProcess } from '../../runtime/node/end-process.ts';
import { readFile, yamlParserFor } from '../../runtime/node/files.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import { nodePlatform } from '../../runtime/node/platform.ts';
import { FolderHangs, hasFileOperations } from '../../runtime/node/store/file-operations.ts';
import { openStore } from '../../runtime/node/store/open-store.ts';
import { type DataOptions, type Io, printData, printLines, printNote } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';
import { tracedPlatform } from '../terminal/trace.ts';
import { exitCodes, UsageError } from '../usage.ts';

export interface StoreOptions extends DataOptions {
  readonly verbose?: true | undefined;
}

/** `regshift store info`: counts the layers of the store. */
export function storeInfo(options: StoreOptions, io: Io): Promise<number> {
  return onStore(options, io, (opened) => printInfo(opened, options, io));
}

async function printInfo({ store, limit }: OpenStore, options: StoreOptions, io: Io): Promise<number> {
  let [layers, bytes] = [0, 0];
  let [oldest, newest]: [number | undefined, number | undefined] = [undefined, undefined];
  for await (const { size, usedAt } of store.list?.() ?? []) {
    layers += 1;
    bytes += size;
    if (usedAt === undefined) continue;
    oldest = Math.min(oldest ?? usedAt, usedAt);
    newest = Math.max(newest ?? usedAt, usedAt);
  }
  const date = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
  const facts = {
    store: store.kind,
    layers,
    bytes,
    limit,
    lastUsed: { first: date(oldest), last: date(newest) },
  };
  if (printData(io, facts, options)) return exitCodes.good;
  printLines(io, [
    `${counted(layers, 'layer')} with ${byteText(bytes)}${limit === undefined ? '' : `; the store may have ${byteText(limit)}`}`,
    ...(layers > 0 && oldest !== undefined ? [`last used between ${date(oldest)} and ${date(newest)}`] : []),
  ]);
  return exitCodes.good;
}

/**
 * `regshift store verify`: reads all layers, and removes those whose bytes do not have their digest.
 * @returns exit code 1 if a layer was damaged.
 */
export function storeVerify(options: StoreOptions, io: Io): Promise<number> {
  return onStore(options, io, (opened) => verifyAll(opened, options, io));
}

async function verifyAll({ store }: OpenStore, options: StoreOptions, io: Io): Promise<number> {
  const codec = createNodeLayerCodec();
  const blobs: BlobName[] = [];
  for await (const blob of store.list?.() ?? []) blobs.push(blob);
  const progress = createProgress(io, blobs.length);
  const damaged: { readonly digest: Digest; readonly found: string }[] = [];
  let layers = 0;
  for (const blob of blobs) {
    progress.step(blob.digest);
    const found = await digestOfStored(store, blob, codec.hash(digestAlgorithm(blob.digest)));
    if (found === undefined) continue;
    layers += 1;
    if (found === blob.digest) continue;
    damaged.push({ digest: blob.digest, found });
    await store.delete(blob);
  }
  progress.end();
  if (!printData(io, { layers, damaged }, options)) {
    for (const { digest, found } of damaged) printLines(io, [`removed ${digest}: its bytes had ${found}`]);
    printLines(io, [`${counted(layers, 'layer')} read, ${damaged.length} damaged`]);
  }
  return damaged.length > 0 ? exitCodes.failed : exitCodes.good;
}

/** @returns undefined for a layer that was removed meanwhile. */
async function digestOfStored(
  store: BlobStore,
  blob: BlobName,
  hash: Parameters<typeof createDigester>[0],
): Promise<string | undefined> {
  const stream = await (store.inspect ? store.inspect(blob) : store.read(blob));
  if (stream === undefined) return undefined;
  const digester = createDigester(hash);
  try {
    for await (const bytes of stream) await digester.add(bytes);
  } catch (error) {
    if (error instanceof FolderHangs) throw error;
    // A broken connection says nothing of the bytes in a bucket.
    if (store.kind !== 'file') throw brokenOff(blob, digester.size);
    return `an error after ${digester.size} bytes (${String(error)})`;
  }
  return digester.digest();
}

function brokenOff({ digest }: BlobName, read: number): S3Error {
  return new S3Error(
    `The bucket broke off the stored layer ${digest} after ${read} bytes. The layer stays. ` +
      'Check the bucket and the network, and try again.',
  );
}

/** `regshift store prune`: removes the layers that were used longest ago. */
export function storePrune(options: PruneOptions, io: Io): Promise<number> {
  return onStore(options, io, (opened) => prune(opened, options, io));
}

interface PruneOptions extends StoreOptions {
  readonly bytes?: number | undefined;
}

async function prune({ store }: OpenStore, { bytes, ...options }: PruneOptions, io: Io): Promise<number> {
  const pruned = await store.prune?.(bytes);
  if (pruned === undefined) throw new UsageError('This store has rules of its own for what it removes.');
  if (!printData(io, pruned, options)) {
    printLines(io, [`${counted(pruned.blobs, 'layer')} with ${byteText(pruned.bytes)} removed`]);
  }
  return exitCodes.good;
}

interface OpenStore {
  readonly store: BlobStore;
  /** REGSHIFT_STORE_BYTES; undefined for a bucket, to which it does not apply. */
  readonly limit: number | undefined;
}

const absent =
  'The folder of REGSHIFT_STORE is not there, so it has no layers. `regshift serve` makes it; for another folder, correct REGSHIFT_STORE.';

/** Runs a command on a store that is there. At its end, Node would wait for a file operation that hangs. */
async function onStore(
  options: StoreOptions,
  io: Io,
  work: (opened: OpenStore) => Promise<number>,
): Promise<number> {
  try {
    const opened = await storeOf(options, io);
    const place = await opened.store.look?.();
    if (typeof place === 'object') throw new UsageError(`REGSHIFT_STORE ${place.problem}.`);
    if (place !== 'absent') return await work(opened);
    printNote(io, `regshift: ${absent}`);
    return exitCodes.failed;
  } catch (error) {
    if (error instanceof S3Error) {
      printNote(io, `regshift: ${error.message}`);
      return exitCodes.failed;
    }
    if (!(error instanceof FolderHangs)) throw error;
    printNote(io, `regshift: ${error.message}. Is the file system of REGSHIFT_STORE there?`);
    return endProcess(exitCodes.failed, hasFileOperations());
  }
}

/** The settings that these commands need. A wrong one beside them does not matter. */
const storeSettings = [
  'REGSHIFT_STORE',
  'REGSHIFT_STORE_BYTES',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
] as const;

/** Opens the store that the settings name. @throws UsageError. */
async function storeOf(options: StoreOptions, io: Io): Promise<OpenStore> {
  const read = readSomeSettings(storeSettings, io.env, readFile, await yamlParserFor(io.env));
  if ('problems' in read) throw new UsageError(formatProblems(read.problems));
  const log = createJsonLog('warn', systemWallClock, (line) => printNote(io, asText(line)));
  const store = await openStore(read.settings, tracedPlatform(nodePlatform(log), options, io));
  const limit = store?.kind === 'file' ? read.settings.REGSHIFT_STORE_BYTES : undefined;
  if (store) return { store, limit };
  throw new UsageError('REGSHIFT_STORE is not set. Set it as for serve, like file:///var/lib/regshift.');
}
