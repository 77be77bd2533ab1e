import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { leastBytes, tableNames } from '../../../src/cache/table-shares.ts';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import type { FilledTables } from '../../support/faults/fill-tables.ts';
import { factsOfProcess } from '../../support/faults/process-facts.ts';
import { listen } from '../../support/listen.ts';
import { startArguments, startNodeProcess } from '../../support/node-process.ts';
import { inspectable, inspectProcess } from '../../support/process-inspector.ts';
import { v1Daemons } from '../../support/v1-daemons.ts';

const MiB = 2 ** 20;

/** Bytes of REGSHIFT_CACHE_BYTES in this test, with which all tables are full after 1,500 rounds. */
const budget = 16 * MiB;
const rounds = 1_500;

/** The options that `npm start` gives to Node, without the program. */
const options = startArguments().filter((each) => each.startsWith('--'));

/** The rest of a page of V8, and the allocator's, come to the budget. */
const mostResident = 1.25 * budget;

async function filledTables(args: readonly string[]): Promise<FilledTables> {
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const found = JSON.parse(stdout) as FilledTables;
  console.log({ heap: found.heap, resident: found.resident });
  console.table(found.tables);
  return found;
}

it('every table, filled to its bound, takes no more memory than it accounts for', async () => {
  const program = join(import.meta.dirname, '../../support/faults/fill-tables.ts');
  const args = [...options, '--expose-gc', program, String(budget), String(rounds)];
  let found = await filledTables(args);
  // Gaps in glibc's heap come on top in one run, and not in the next: its top alone goes back to the system.
  for (let more = 0; more < 2 && found.resident >= mostResident; more += 1) found = await filledTables(args);
  const { tables, heap, resident } = found;
  expect(tables.map(({ table }) => table)).toEqual(tableNames);
  for (const { table, bytes, limit, freed } of tables) {
    expect(bytes, table).toBeLessThanOrEqual(limit);
    expect(bytes, table).toBeGreaterThan(0.8 * limit);
    expect(freed, table).toBeLessThan(1.1 * bytes);
  }
  expect(heap).toBeLessThan(1.1 * budget);
  expect(resident).toBeLessThan(mostResident);
});

/** A registry that lets every login read everything, and lists 10,000 tags of builds for each repository. */
async function startListingUpstream(tagsOf: (login: string) => readonly string[]) {
  const { fetch } = createSampleRegistry();
  const server = createServer(async ({ url = '', method = 'GET', headers }, response) => {
    if (url.includes('/tags/list')) {
      const tags = tagsOf(headers.authorization ?? '');
      return void response.end(JSON.stringify({ name: 'sample/oci', tags }));
    }
    const known = url.replace(/build-[^/]+$/, 'latest');
    const accept = headers.accept ?? '*/*';
    const answer = await fetch(`http://sample.invalid${known}`, { method, headers: { accept } });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  return listen(server);
}

const builds = Array.from({ length: 10_000 }, (_, index) => `build-${'0123456789abcdef'.repeat(6)}-${index}`);

it.each([
  ['the same tags', () => builds],
  ['other tags', (login: string) => builds.map((tag) => `${tag}-${atob(login.slice(6)).slice(0, 9)}`)],
])('200 logins that get lists of 10,000 tags, each %s, fit into REGSHIFT_CACHE_BYTES', async (_, tagsOf) => {
  const cacheBytes = 1_000_000;
  const upstream = await startListingUpstream(tagsOf);
  const written: string[] = [];
  const settings = { REGSHIFT_UPSTREAM: upstream.url, REGSHIFT_V1_TAGS: '1', REGSHIFT_TAG_TTL: '3600' };
  const proxy = await startNodeProcess(
    { ...settings, REGSHIFT_CACHE_BYTES: String(cacheBytes), ...inspectable },
    25,
    (text) => written.push(text),
  );
  const inspector = await inspectProcess(written.join(''));
  const list = async (number: number) => {
    const authorization = `Basic ${btoa(`user-${String(number).padStart(4, '0')}:secret`)}`;
    const headers = { 'user-agent': v1Daemons['Docker 1.7.1'].userAgent, authorization };
    const path = `http://127.0.0.1:${proxy.port}/v1/repositories/sample/oci/tags`;
    const response = await fetch(path, { headers });
    expect([response.status, Object.keys((await response.json()) as object)]).toEqual([
      200,
      [expect.stringMatching(/^build-/)],
    ]);
  };
  const measure = async () => ({ ...factsOfProcess(proxy.pid), ...(await inspector.held()) });
  try {
    for (let number = 0; number < 20; number += 1) await list(number);
    const before = await measure();
    for (let number = 20; number < 220; number += 1) await list(number);
    const after = await measure();
    console.log({ before, after });
    expect(after.heap - before.heap).toBeLessThan(1.1 * (cacheBytes + leastBytes));
    // Garbage of the last lists: each of them takes some megabytes while it is read.
    expect(after.megabytes - before.megabytes).toBeLessThan(40);
  } finally {
    inspector.close();
    await proxy.stop();
    await upstream.stop();
  }
});
