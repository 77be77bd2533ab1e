import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decoyHash } from '../../../../src/auth/htpasswd.ts';
import type { Facts } from '../../../../src/observability/log.ts';
import { createPasswordWorker } from '../../../../src/runtime/node/password-worker.ts';
import { projectRoot } from '../../../support/wrangler.ts';

/** The bcrypt hash of "secret" at the lowest cost. */
const alice = '$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const notCompared = {
  code: 'INTERNAL',
  message: expect.stringMatching(/^The password could not be compared/),
};

function worker(program?: string) {
  let now = 0;
  const logged: (Facts | undefined)[] = [];
  const compare = createPasswordWorker({
    log: (level, _message, facts) => logged.push({ level, ...facts }),
    clock: () => now,
    ...(program ? { program: written(program) } : {}),
  });
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return { compare, logged, advance };
}

/** Writes a program for the thread to a file. */
function written(program: string): URL {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-thread-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'thread.mjs');
  writeFileSync(path, `import { parentPort } from 'node:worker_threads';\n${program}`);
  return pathToFileURL(path);
}

describe('the thread that compares passwords', () => {
  it('accepts the right password only, also for several at once', async () => {
    const { compare, logged } = worker();
    const passwords = ['secret', 'wrong', 'secret', '', 'secret '];
    const results = passwords.map((password) => compare(password, alice, [decoyHash(4)]));
    expect(await Promise.all(results)).toEqual([true, false, true, false, false]);
    expect(logged).toEqual([]);
  });

  it('leaves the event loop free', async () => {
    const { compare } = worker();
    await compare('warm', alice, []);
    let [turns, over] = [0, false];
    const comparison = compare('wrong', decoyHash(12), [decoyHash(11)]).finally(() => {
      over = true;
    });
    while (!over) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await comparison).toBe(false);
    // On the main thread, bcryptjs yields to the event loop once in 100 ms: some six times here.
    expect(turns).toBeGreaterThan(200);
  });

  it('has no variables of the process', async () => {
    process.env.REGSHIFT_TEST_SECRET = 'hidden';
    onTestFinished(() => void delete process.env.REGSHIFT_TEST_SECRET);
    const tells = `parentPort.on('message', ({ id }) =>
      parentPort.postMessage({ id, matches: 'REGSHIFT_TEST_SECRET' in process.env }));`;
    expect(await worker(tells).compare('secret', alice, [])).toBe(false);
  });

  it('does not keep the process alive', async () => {
    const module = (path: string) => JSON.stringify(pathToFileURL(join(projectRoot, path)));
    const program = `
      import { createPasswordWorker } from ${module('src/runtime/node/password-worker.ts')};
      const compare = createPasswordWorker({ log: console.log, clock: Date.now });
      console.log(await compare('secret', '${alice}', []));`;
    const argv = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 20_000 });
    expect(stdout).toBe('true\n');
  });
});

describe('a thread that ends', () => {
  const dies = `parentPort.on('message', ({ id, password }) => {
    if (password === 'throw') throw new Error('out of order');
    if (password === 'exit') process.exit(3);
    if (password !== 'wait') parentPort.postMessage({ id, matches: true });
  });`;

  it.each([
    ['throw', 'out of order'],
    ['exit', 'exit code 3'],
  ])('by %s rejects its comparisons, and is replaced', async (how, reason) => {
    const { compare, logged, advance } = worker(dies);
    expect(await compare('secret', alice, [])).toBe(true);
    advance(5_000);
    const results = await Promise.allSettled(['wait', how].map((each) => compare(each, alice, [])));
    expect(results).toEqual(
      [1, 2].map(() => ({ status: 'rejected', reason: expect.objectContaining(notCompared) })),
    );
    expect(logged).toEqual([{ level: 'error', reason }]);
    expect(await compare('secret', alice, [])).toBe(true);
  });

  it('repeatedly is started once in five seconds', async () => {
    const { compare, logged, advance } = worker("throw new Error('no such module');");
    for (let second = 0; second < 10; second += 1) {
      await expect(compare('secret', alice, [])).rejects.toMatchObject(notCompared);
      advance(1_000);
    }
    expect(logged).toHaveLength(2);
  });

  it('rejects its comparisons if it cannot be loaded', async () => {
    const compare = createPasswordWorker({
      log: () => undefined,
      clock: () => 0,
      program: new URL('./not-there.mjs', import.meta.url),
    });
    await expect(compare('secret', alice, [])).rejects.toMatchObject(notCompared);
  });
});
