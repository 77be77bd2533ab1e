import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: NodeJS.GCFunction | undefined;

/** The collections of V8 (deps/v8/src/extensions/gc-extension.cc), without a flag at the start of the process. */
export function garbageCollector(): NodeJS.GCFunction {
  if (collect) return collect;
  setFlagsFromString('--expose-gc');
  // Only a context that is made now has the function.
  collect = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

/**
 * Bytes of new buffers between two collections. The least is half of what V8 lets come together, because others come
 * besides.
 */
const least = 4 * 2 ** 20;
const most = 64 * 2 ** 20;

let distance = least;
let bytesSince = 0;
let before: number | undefined;
let hasFreedLittle = false;

/**
 * Counts the bytes of a buffer that was made for a stream, and collects such buffers when there are 4 MiB of them. A
 * collection of young objects takes about a millisecond, and frees all buffers that have been sent.
 *
 * V8 does not do so by itself: it collects young objects when they fill their part of the heap, in which a buffer of 128
 * KiB takes only some hundred bytes. But it counts buffers as growth of the old objects (Heap::OldGenerationSpaceAvailable,
 * deps/v8/src/heap/heap-inl.h), and marks the whole heap after about 8 MiB of them: 30 ms of CPU each time. That was half of
 * the CPU of a zstd layer that is served as tar.
 *
 * Buffers that wait for slow clients become old objects by their second collection. Where two collections free less than
 * half of what has come, the next one is twice as far away.
 */
export function countBuffer(bytes: number): void {
  bytesSince += bytes;
  // Another thread frees the buffers, and takes its time.
  if (before !== undefined && bytesSince >= distance / 2) {
    judge(before - (bytesOfBuffers() - bytesSince));
    before = undefined;
  }
  if (bytesSince < distance) return;
  bytesSince = 0;
  before = bytesOfBuffers();
  garbageCollector()({ type: 'minor' });
}

function judge(freed: number): void {
  const freesLittle = freed < distance / 2;
  if (!freesLittle) distance = Math.max(least, distance / 2);
  else if (hasFreedLittle) distance = Math.min(most, distance * 2);
  hasFreedLittle = freesLittle;
}

/** Bytes outside of V8's heap that objects in it hold. */
function bytesOfBuffers(): number {
  return getHeapStatistics().external_memory;
}
