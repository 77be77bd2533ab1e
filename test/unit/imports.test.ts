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
