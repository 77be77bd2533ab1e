import { spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLogDestination } from '../../../../src/runtime/node/log-destination.ts';
import { temporaryFolder } from '../../../support/cli.ts';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** A named pipe. */
function makePipe() {
  const path = join(temporaryFolder(), 'log');
  spawnSync('mkfifo', [path]);
  const openPipe = (flags: number) => {
    const fd = openSync(path, flags);
    open.add(fd);
    onTestFinished(() => close(fd));
    return fd;
  };
  return { open: openPipe };
}

const open = new Set<number>();

function close(fd: number): void {
  if (open.delete(fd)) closeSync(fd);
}

/** The bytes in a pipe, as Latin-1: a character of UTF-8 may end with the next read. "" if the pipe has none. */
function readAll(fd: number): string {
  const piece = Buffer.alloc(65_536);
  let text = '';
  try {
    for (let read = -1; read !== 0; ) {
      read = readSync(fd, piece);
      text += piece.toString('latin1', 0, read);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return text;
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

const flushMs = 300;

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index} ${'é'.repeat(500)}\n`);

describe.skipIf(process.platform === 'win32')('the destination of the log', () => {
  it('writes a line by itself, and all lines at the end', async () => {
    const pipe = makePipe();
    const reader = pipe.open(O_RDONLY | O_NONBLOCK);
    const destination = createLogDestination(pipe.open(O_WRONLY | O_NONBLOCK), { flushMs });
    destination.write('one\n');
    expect(readAll(reader)).toBe('');
    await expect.poll(() => readAll(reader)).toBe('one\n');
    destination.write('two\n');
    await destination.flush();
    expect(readAll(reader)).toBe('two\n');
    await destination.flush();
    expect(destination.isWriting()).toBe(false);
  });

  it('loses no line of a reader that is slow, in the order of the lines', async () => {
    const pipe = makePipe();
    const reader = pipe.open(O_RDONLY | O_NONBLOCK);
    const destination = createLogDestination(pipe.open(O_WRONLY | O_NONBLOCK), { flushMs });
    const all = lines(0, 400);
    const written = Buffer.from(all.join('')).toString('latin1');
    for (const line of all.slice(0, 200)) destination.write(line);
    const took = await timeOf(destination.flush);
    expect(took).toBeGreaterThan(flushMs - 20);
    expect(took).toBeLessThan(flushMs + 2_000);
    for (const line of all.slice(200)) destination.write(line);
    let text = '';
    const read = () => {
      text += readAll(reader);
      return text.length;
    };
    await expect.poll(read, { timeout: 10_000 }).toBe(written.length);
    expect(text).toBe(written);
  });

  it('drops lines beyond its memory, and tells their number to the reader that reads again', async () => {
    const pipe = makePipe();
    const reader = pipe.open(O_RDONLY | O_NONBLOCK);
    const destination = createLogDestination(pipe.open(O_WRONLY | O_NONBLOCK), {
      mostWaiting: 100_000,
      onDropped: (count) => destination.write(`${count} dropped\n`),
    });
    for (const line of lines(0, 1_000)) destination.write(line);
    let text = '';
    const read = () => {
      text += readAll(reader);
      return text;
    };
    await expect.poll(read, { timeout: 10_000 }).toMatch(/\d dropped\n/);
    const kept = text.split('\n').length - 2;
    expect(text).toContain(`\n${1_000 - kept} dropped\n`);
    expect(kept).toBeGreaterThan(190);
    expect(kept).toBeLessThan(400);
  });

  it('drops the lines of a pipe whose reader has gone, and writes whole lines to the next reader', async () => {
    const pipe = makePipe();
    const first = pipe.open(O_RDONLY | O_NONBLOCK);
    const destination = createLogDestination(pipe.open(O_WRONLY | O_NONBLOCK), { flushMs });
    close(first);
    for (const line of lines(0, 100)) destination.write(line);
    expect(await timeOf(destination.flush)).toBeLessThan(flushMs - 20);
    const second = pipe.open(O_RDONLY | O_NONBLOCK);
    destination.write('later\n');
    await destination.flush();
    expect(readAll(second)).toBe('later\n');
  });

  it.skipIf(!existsSync('/dev/full'))('waits no longer for a disk that is full', async () => {
    const fd = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(fd));
    const destination = createLogDestination(fd, { flushMs });
    destination.write('a line\n');
    const took = await timeOf(destination.flush);
    expect(took).toBeGreaterThan(flushMs - 20);
    expect(took).toBeLessThan(flushMs + 2_000);
  });

  it('waits no longer for a write that hangs, and knows of it', async () => {
    const pipe = makePipe();
    const fd = pipe.open(O_RDWR);
    const destination = createLogDestination(fd, { flushMs });
    for (const line of lines(0, 200)) destination.write(line);
    const took = await timeOf(destination.flush);
    expect(took).toBeGreaterThan(flushMs - 20);
    expect(took).toBeLessThan(flushMs + 2_000);
    expect(destination.isWriting()).toBe(true);
    const reader = pipe.open(O_RDONLY | O_NONBLOCK);
    const isWriting = () => readAll(reader) !== '' || destination.isWriting();
    await expect.poll(isWriting, { timeout: 10_000 }).toBe(false);
  });
});
