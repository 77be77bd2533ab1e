import { beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleLibrary, bundleProgram } from '../../../build/bundle.ts';
import { packageOf } from '../../../build/packages.ts';

let program: Bundle;
let library: Bundle;
beforeAll(async () => {
  [program, library] = await Promise.all([
    bundleProgram(),
    bundleLibrary({ converters: 'converters/index.ts' }),
  ]);
}, 60_000);

const textOf = ({ files }: Bundle, path: string) => files.find((file) => file.path === path)?.text ?? '';

/** The modules that a file names: by `from`, by `import` alone, by `import()`, and by the `require` of esbuild. */
function importsOf(text: string, how: 'all' | 'declared'): string[] {
  const declared = /^(?:\} from|import(?: [^"';]+ from)?|export \* from) ["']([^"']+)["'];$/gm;
  const called = /\b(?:import|__require)\(["']([^"']+)["']\)/g;
  return [...text.matchAll(declared), ...(how === 'all' ? text.matchAll(called) : [])].map(
    ([, name = '']) => name,
  );
}

/** @redis/client imports it where a program compares digests by Redis: regshift does not, and no version installed it. */
const optional = '@node-rs/xxhash';

/** A file with all that Node loads before it runs the file. */
function loadedWith(bundle: Bundle, path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const name of importsOf(textOf(bundle, path), 'declared')) {
    if (name.startsWith('./')) loadedWith(bundle, path.replace(/[^/]+$/, name.slice(2)), found);
  }
  return found;
}

describe('the bundle', () => {
  it('names its own files and modules of Node, and no package', () => {
    for (const bundle of [program, library]) {
      const own = new Set(bundle.files.map(({ path }) => path));
      for (const { path, text } of bundle.files) {
        const names = importsOf(text, 'all').filter((name) => !/^(?:node:|cloudflare:)/.test(name));
        const [relative, others] = [
          names.filter((name) => name.startsWith('.')),
          names.filter((name) => !name.startsWith('.')),
        ];
        for (const name of relative) expect(own).toContain(path.replace(/[^/]+$/, name.slice(2)));
        expect(others.filter((name) => name !== optional && !process.getBuiltinModule(name))).toEqual([]);
      }
    }
    expect(loadedWith(program, 'bin/serve.js').size).toBeGreaterThan(10);
  });

  it('has names for people, and each once', () => {
    const paths = program.files.map(({ path }) => path);
    for (const path of paths) expect(path).toMatch(/^bin\/[a-z][a-z0-9-]*\.js$/);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toEqual(
      expect.arrayContaining(
        ['start', 'cli', 'serve', 'compile-cache', 'password-thread', 'page', 'yaml', 'zod'].map(
          (name) => `bin/${name}.js`,
        ),
      ),
    );
    expect(library.files.map(({ path }) => path)).toEqual(['lib/converters.js']);
  });

  it('loads the page, Redis, the metrics and the parser of YAML only where a setting asks for them', () => {
    const started = [...loadedWith(program, 'bin/cli.js'), ...loadedWith(program, 'bin/serve.js')];
    for (const name of ['page', 'status-page', 'shared-cache', 'prometheus', 'yaml', 'main']) {
      expect(textOf(program, `bin/${name}.js`)).not.toBe('');
      expect(started).not.toContain(`bin/${name}.js`);
    }
  });

  it('has the file for a Node that is too old as it is, without declared imports', () => {
    const text = textOf(program, 'bin/start.js');
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(text).toContain("import('./cli.js')");
    expect(text).not.toMatch(/^import /m);
  });

  it('has the path of each module before its code', () => {
    expect(textOf(program, 'bin/serve.js')).toContain('\n// src/cli/commands/serve.ts\n');
  });

  it('has the converters without a module of Node', () => {
    expect(importsOf(textOf(library, 'lib/converters.js'), 'all')).toEqual([]);
    expect(library.inputs.flatMap((input) => packageOf(input)?.name ?? [])).toContain('jose');
  });
});
