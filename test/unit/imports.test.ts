import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

interface Import {
  readonly from: string;
  /** A path below the root, or a package's name. */
  readonly to: string;
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements =
    /^(?:import|export)\s[^;'"`()=]*?\sfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
  const specifiers = [...text.matchAll(statements)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
  return specifiers.map((to) => ({
    from: file,
    to: to.startsWith('.') ? relative(root, join(root, dirname(file), to)) : to,
  }));
}

const all = [...sourcesBelow('converters'), ...sourcesBelow('src')].flatMap(importsOf);

/** Dependencies point inward: runtime → src → converters. */
const rules: readonly [name: string, within: (file: string) => boolean, allowed: (to: string) => boolean][] =
  [
    [
      'converters/ is pure: only itself, jose and @noble/hashes',
      (file) => file.startsWith('converters/'),
      (to) => to.startsWith('converters/') || to === 'jose' || to.startsWith('@noble/hashes/'),
    ],
    [
      'src/ outside of runtime/ and the command line knows no platform and no runtime',
      (file) => file.startsWith('src/') && !/^src\/(?:runtime\/|cli[./])/.test(file),
      (to) => !/^(node:|cloudflare:|@hono\/node-server)/.test(to) && !to.startsWith('src/runtime/'),
    ],
    [
      'the program does not know its command line',
      (file) => file.startsWith('src/') && !/^src\/cli[./]/.test(file),
      (to) => !/^src\/cli[./]/.test(to) && !to.includes('commander'),
    ],
    [
      'the client of Redis is loaded with the folder that is, where there is a Redis',
      (file) => file.startsWith('src/') && !file.startsWith('src/runtime/node/redis/'),
      (to) => !to.startsWith('@redis/'),
    ],
    [
      'src/runtime/worker/ uses nothing of Node',
      (file) => file.startsWith('src/runtime/worker/'),
      (to) => !to.startsWith('node:') && !to.startsWith('src/runtime/node/'),
    ],
    [
      'src/runtime/node/ uses nothing of Workers',
      (file) => file.startsWith('src/runtime/node/'),
      (to) => !to.startsWith('cloudflare:') && !to.startsWith('src/runtime/worker/'),
    ],
  ];

/**
 * The storeys of the house, the upper ones first. A file imports its own folder and rows below its own, types
 * included.
 */
const storeys: readonly (readonly string[])[] = [
  ['cli'],
  ['runtime'],
  ['compose'],
  ['app'],
  ['http'],
  ['registry'],
  ['config'],
  ['layers', 'auth'],
  ['upstream'],
  ['cache'],
  ['client-state', 'negotiation', 'routing', 'sample-registry'],
  ['concurrency'],
  ['request'],
  ['observability', 'errors', 'version'],
  ['converters'],
];

/** A folder of `src`, a file directly in it, or `converters`. */
function roomOf(file: string): string {
  const [top = '', room = ''] = file.split('/');
  return top === 'src' ? room.replace(/\.[jt]s$/, '') : top;
}

function storeyOf(file: string): number {
  return storeys.findIndex((rooms) => rooms.includes(roomOf(file)));
}

/** Every file of a circle of imports, by a walk that leaves out the files that lead to no circle. */
function circles(imports: readonly Import[]): string[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of imports) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  for (let left = -1; left !== targets.size; ) {
    left = targets.size;
    for (const [file, own] of targets) if (![...own].some((to) => targets.has(to))) targets.delete(file);
  }
  const imported = new Set([...targets.values()].flatMap((own) => [...own]));
  return [...targets.keys()].filter((file) => imported.has(file));
}

describe('the storeys of the house', () => {
  const inside = all.filter(({ to }) => to.startsWith('src/') || to.startsWith('converters/'));

  test('every file has one', () => {
    expect(inside.filter(({ from, to }) => storeyOf(from) === -1 || storeyOf(to) === -1)).toEqual([]);
  });

  test('no import points up, or to a neighbour', () => {
    const other = inside.filter(({ from, to }) => roomOf(from) !== roomOf(to));
    expect(other.length).toBeGreaterThan(100);
    expect(other.filter(({ from, to }) => storeyOf(to) <= storeyOf(from))).toEqual([]);
  });

  test('no files import each other, in however many steps', () => {
    expect(circles(inside)).toEqual([]);
    const circle = ['a', 'b', 'c'].map((from, at) => ({ from, to: ['b', 'c', 'a'][at] ?? '' }));
    expect(circles([...circle, { from: 'c', to: 'd' }, { from: 'e', to: 'a' }])).toEqual(['a', 'b', 'c']);
  });
});

describe('imports point inward', () => {
  test.each(rules)('%s', (_name, within, allowed) => {
    const inside = all.filter(({ from }) => within(from));
    expect(inside.length).toBeGreaterThan(0);
    expect(inside.filter(({ to }) => !allowed(to))).toEqual([]);
  });

  test('no source outside of runtime/node uses Buffer', () => {
    const files = [...sourcesBelow('converters'), ...sourcesBelow('src')].filter(
      (file) => !file.startsWith('src/runtime/node/'),
    );
    expect(files.filter((file) => /\bBuffer\b/.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });
});
