import { describe, expect, test } from 'vitest';
import { imports, inside, program, textOf } from '../support/house/sources.ts';
import { circles, folderOf, storeyOf, upwardImports } from '../support/house/storeys.ts';

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
      'src/runtime/web/ uses nothing of Node or Workers, nor of the packages for them',
      (file) => file.startsWith('src/runtime/web/'),
      (to) => !/^(?:node:|cloudflare:|@hono\/node-server|src\/runtime\/(?!web\/))/.test(to),
    ],
    [
      'src/runtime/node/ uses nothing of Workers',
      (file) => file.startsWith('src/runtime/node/'),
      (to) => !to.startsWith('cloudflare:') && !to.startsWith('src/runtime/worker/'),
    ],
  ];

describe('the storeys of the house', () => {
  test('every file has one', () => {
    expect(inside.filter(({ from, to }) => storeyOf(from) === -1 || storeyOf(to) === -1)).toEqual([]);
  });

  test('no import points up, or to a neighbour', () => {
    expect(inside.filter(({ from, to }) => folderOf(from) !== folderOf(to)).length).toBeGreaterThan(100);
    expect(upwardImports(inside)).toEqual([]);
    const up = { from: 'src/cache/lru.ts', to: 'src/registry/ping.ts' };
    expect(upwardImports([up])).toEqual([up]);
  });

  test('no files import each other, in however many steps', () => {
    expect(circles(inside)).toEqual([]);
    const circle = ['a', 'b', 'c'].map((from, at) => ({ from, to: ['b', 'c', 'a'][at] ?? '' }));
    expect(circles([...circle, { from: 'c', to: 'd' }, { from: 'e', to: 'a' }])).toEqual(['a', 'b', 'c']);
  });
});

describe('imports point inward', () => {
  test.each(rules)('%s', (_name, within, allowed) => {
    const concerned = imports.filter(({ from }) => within(from));
    expect(concerned.length).toBeGreaterThan(0);
    expect(concerned.filter(({ to }) => !allowed(to))).toEqual([]);
  });

  test('no source outside of runtime/node uses Buffer', () => {
    const files = program.filter((file) => !file.startsWith('src/runtime/node/'));
    expect(files.filter((file) => /\bBuffer\b/.test(textOf(file)))).toEqual([]);
  });
});
