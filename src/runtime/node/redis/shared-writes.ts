import { randomInt } from 'node:crypto';
import { type FleetWrites, repositoryCounters } from '../../../registry/repository-versions.ts';
import type { SetNumber } from './client.ts';
import type { RedisConnection } from './connection.ts';

/**
 * One value for all replicas, of four bytes for each counter: a random mark of the last write, and zeros before the first
 * one. A value that replicas look at needs no connection of its own, as a subscription does, and a replica that was cut
 * off sees afterwards what it missed. Another writer can make replicas ask the registry again, and no more.
 */
const name = 'regshift:writes';
const markBytes = 4;
const valueBytes = repositoryCounters * markBytes;
const allCounters = Array.from({ length: repositoryCounters }, (_, counter) => counter);

/** Time between two looks, in milliseconds. */
const lookMs = 1_000;

/** The writes of all replicas, by a value in Redis that each replica looks at. */
export interface SharedWrites extends FleetWrites {
  /** Begins to look for the writes of others. It ends after the first look. */
  start(): Promise<void>;
  /** Sends what is not sent yet, and takes over the writes of others. */
  look(): Promise<void>;
  stop(): void;
}

export function createSharedWrites(connection: RedisConnection): SharedWrites {
  /** Counters whose write Redis does not have yet. */
  const unsent = new Set<number>();
  const listeners: Parameters<FleetWrites['listen']>[] = [];
  let known: Buffer | undefined;
  let isSending = false;
  let timer: ReturnType<typeof setInterval> | undefined;

  async function send(): Promise<void> {
    if (isSending) return;
    isSending = true;
    let isSent = true;
    while (isSent && unsent.size > 0) {
      const counters = [...unsent];
      // A write that comes meanwhile is another one.
      unsent.clear();
      isSent = await sendMarks(counters);
      if (!isSent) for (const counter of counters) unsent.add(counter);
    }
    isSending = false;
  }

  /** @returns false if Redis may not have them. */
  async function sendMarks(counters: readonly number[]): Promise<boolean> {
    const marks = counters.map(() => randomInt(1, 2 ** 32));
    const setMark = (counter: number, index: number): SetNumber => {
      return { operation: 'SET', encoding: 'u32', offset: `#${counter}`, value: marks[index] ?? 1 };
    };
    const replaced = await connection.run((client) => client.bitField(name, counters.map(setMark)));
    if (replaced === undefined) return false;
    if (known === undefined) return true;
    // No later look finds a mark that these replace.
    const found = withMarks(known, counters, replaced);
    takeOver(known, found);
    known = withMarks(found, counters, marks);
    return true;
  }

  function takeOver(before: Buffer, after: Buffer): void {
    if (before.equals(after)) return;
    const changed = allCounters.filter((counter) => markIn(before, counter) !== markIn(after, counter));
    // Redis has lost the marks, and with them the writes since the last look.
    if (changed.some((counter) => markIn(after, counter) === 0)) gap();
    else for (const [onWrite] of listeners) for (const counter of changed) onWrite(counter);
  }

  function gap(): void {
    for (const [, onGap] of listeners) onGap();
  }

  async function look(): Promise<void> {
    await send();
    const value = await connection.run((client) => client.getRange(name, 0, valueBytes - 1));
    if (value === undefined) return;
    const before = known;
    known = Buffer.alloc(valueBytes);
    value?.copy(known);
    if (before) takeOver(before, known);
    else gap();
  }

  return {
    tell(counter) {
      unsent.add(counter);
      void send();
    },
    listen: (...listener) => void listeners.push(listener),
    async start() {
      timer = setInterval(() => void look(), lookMs);
      await look();
    },
    look,
    stop: () => clearInterval(timer),
  };
}

function markIn(value: Buffer, counter: number): number {
  return value.readUInt32BE(counter * markBytes);
}

function withMarks(value: Buffer, counters: readonly number[], marks: readonly (number | null)[]): Buffer {
  const next = Buffer.from(value);
  for (const [index, counter] of counters.entries()) {
    next.writeUInt32BE(marks[index] ?? 0, counter * markBytes);
  }
  return next;
}
