import { beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleLibrary, bundleProgram } from '../../../build/bundle.ts';
import { packageOf } from '../../../build/packages.ts';
import * as converters from '../../../converters/index.ts';
import * as app from '../../../src/runtime/web/index.ts';

let program: Bundle;
let library: Bundle;
beforeAll(async () => {
  [program, library] = await Promise.all([
    bundleProgram(),
    bundleLibrary({
      index: 'src/runtime/web/index.ts',
      converters: 'converters/index.ts',
      worker: 'src/runtime/worker/entry.ts',
    }),
  ]);
}, 60_000);

const textOf = ({ files }: Bundle, path: string) => files.find((file) => file.path === path)?.text ?? '';

/** The modules that a file names: by `from`, by `import` alone, by `import()`, and by the `require` of the bundler. */
function importsOf(text: string, how: 'all' | 'declared'): string[] {
  const declared = /^(?:\} from|import(?: [^"';]+ from)?|export \* from) ["']([^"']+)["'];$/gm;
  const called = /\b(?:import|__require)\(["']([^"']+)["']\)/g;
  return [...text.matchAll(declared), ...(how === 'all' ? text.matchAll(called) : [])].map(
    ([, name = '']) => name,
  );
}

/** @redis/client imports it where a program compares digests by Redis: regshift does not, and no version installed it. */
const optional = '@node-rs/xxhash';

/** Files with all that Node loads before it runs them, by their names without `.js`. */
function loadedWith(bundle: Bundle, folder: string, ...names: string[]): string[] {
  const found = new Set(names);
  for (const name of found) {
    for (const other of importsOf(textOf(bundle, `${folder}/${name}.js`), 'declared')) {
      if (other.startsWith('./')) found.add(other.slice(2, -3));
    }
  }
  return [...found].toSorted();
}

/** The names that a file exports. */
function exportsOf(text: string): string[] {
  const [, names = ''] = /^export \{ (.+) \};$/m.exec(text) ?? [];
  return names.split(', ').map((name) => name.replace(/^.* as /, ''));
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
  });

  it('has few files', () => {
    const namesIn = ({ files }: Bundle, folder: string) =>
      files.map(({ path }) => path.replace(`${folder}/`, '').replace(/\.js$/, '')).toSorted();
    expect(namesIn(program, 'bin')).toEqual(
      [
        ...['start', 'compile-cache', 'password-thread', 'regshift', 'rolldown-runtime'],
        // Each of these belongs to a setting.
        ...['page', 'prometheus', 'shared-cache', 'opentelemetry', 'open-bucket', 'yaml'],
      ].toSorted(),
    );
    expect(namesIn(library, 'lib')).toEqual(
      ['app', 'converters', 'core', 'index', 'page', 'rolldown-runtime', 'worker'].toSorted(),
    );
  });

  it('has the proxy and all commands in one file', () => {
    expect(loadedWith(program, 'bin', 'regshift')).toEqual(['regshift', 'rolldown-runtime']);
    const text = textOf(program, 'bin/regshift.js');
    const modules = [...text.matchAll(/^\/\/ (src\/cli\/.+)$/gm)].map(([, path]) => path);
    expect(modules).toEqual(
      expect.arrayContaining(['convert', 'save', 'serve'].map((name) => `src/cli/commands/${name}.ts`)),
    );
    const settings = ['redis/shared-cache', 'metrics/prometheus'].map(
      (name) => `src/runtime/node/${name}.ts`,
    );
    for (const path of [...settings, 'src/runtime/node/store/open-bucket.ts', 'src/http/page/page.ts']) {
      expect(text).not.toContain(`\n// ${path}\n`);
    }
  });

  it('waits for nothing when it is loaded, so that files that it loads can import it', () => {
    expect(textOf(program, 'bin/regshift.js')).not.toMatch(/^(?!\s).*\bawait\b/m);
  });

  it('loads no module of Node before code of the program needs it', () => {
    const names = program.files
      .filter(({ path }) => !/\/(?:start|compile-cache|password-thread|rolldown-runtime)\.js$/.test(path))
      .flatMap(({ text }) => importsOf(text, 'declared'));
    expect(names.filter((name) => name.startsWith('node:'))).toEqual([]);
  });

  it('loads the converters without the app, and the app without the page and the Worker', () => {
    expect(loadedWith(library, 'lib', 'converters')).toEqual(['converters', 'core', 'rolldown-runtime']);
    expect(loadedWith(library, 'lib', 'index')).toEqual(['app', 'core', 'index', 'rolldown-runtime']);
  });

  it('has no file that loads itself by others', () => {
    for (const [bundle, folder] of [
      [program, 'bin'],
      [library, 'lib'],
    ] as const) {
      for (const { path, text } of bundle.files) {
        const others = importsOf(text, 'declared').flatMap((name) => /^\.\/(.+)\.js$/.exec(name)?.[1] ?? []);
        const name = path.replace(`${folder}/`, '').replace(/\.js$/, '');
        expect(loadedWith(bundle, folder, ...others)).not.toContain(name);
      }
    }
  });

  it('has the exports of the sources', () => {
    const exported = (name: string) => exportsOf(textOf(library, `lib/${name}.js`)).toSorted();
    expect(exported('converters')).toEqual(Object.keys(converters).toSorted());
    expect(exported('index')).toEqual(Object.keys(app).toSorted());
  });

  it('has the file for a Node that is too old as it is, without declared imports', () => {
    const text = textOf(program, 'bin/start.js');
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(text).toContain("import('./regshift.js')");
    expect(text).not.toMatch(/^import /m);
  });

  it('has the path of each module before its code', () => {
    expect(textOf(program, 'bin/regshift.js')).toContain('\n// src/cli/commands/serve.ts\n');
    expect(textOf(program, 'bin/page.js')).toContain('\n// src/http/page/page.ts\n');
  });

  it('has the converters without a module of Node', () => {
    for (const name of loadedWith(library, 'lib', 'converters')) {
      const names = importsOf(textOf(library, `lib/${name}.js`), 'all');
      expect(names.filter((each) => !each.startsWith('./'))).toEqual([]);
    }
    expect(library.inputs.flatMap((input) => packageOf(input)?.name ?? [])).toContain('jose');
  });
});
