import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleLibrary } from '../../../build/bundle.ts';
import { withMarks } from '../../../build/removable.ts';
import * as converters from '../../../converters/index.ts';

/** esbuild, as far as the test calls it. wrangler brings it, and bundles every Worker with it. */
interface Esbuild {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>;
}
const esbuild = createRequire(fileURLToPath(import.meta.resolve('wrangler')))('esbuild') as Esbuild;

let library: Bundle;
beforeAll(async () => {
  library = await bundleLibrary({
    index: 'src/runtime/web/index.ts',
    converters: 'converters/index.ts',
    worker: 'src/runtime/worker/entry.ts',
  });
}, 60_000);

/** The minified program that only exports one export of `regshift/converters`, from the files of the package. */
async function alone(name: string): Promise<string> {
  const files = new Map(library.files.map(({ path, text }) => [path.replace(/^lib\//, './'), text]));
  const { outputFiles } = await esbuild.build({
    stdin: { contents: `export { ${name} } from './converters.js';` },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    plugins: [
      {
        name: 'the files of the package',
        setup(build: {
          onResolve(filter: object, resolve: (args: { path: string }) => object): void;
          onLoad(filter: object, load: (args: { path: string }) => object): void;
        }) {
          build.onResolve({ filter: /^\.\// }, ({ path }) => ({ path, namespace: 'package' }));
          build.onLoad({ filter: /./, namespace: 'package' }, ({ path }) => ({ contents: files.get(path) }));
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}

/** The most KiB of each export with all that it needs, compressed. */
const bounds: Readonly<Record<keyof typeof converters, number>> = {
  convertersVersion: 0.5,
  isDigest: 0.5,
  formatPlatform: 0.5,
  parsePlatform: 0.5,
  emptyLayer: 0.5,
  v1ImageJson: 0.6,
  mediaTypes: 0.6,
  ConversionError: 0.6,
  layerTypeOf: 0.8,
  parseDigest: 0.9,
  signSchema1: 2.5,
  libtrustKeyId: 3.5,
  readImageConfig: 5,
  digestOf: 6,
  generateSigningKey: 6.5,
  verifyDigest: 6.5,
  readSigningKey: 8,
  verifySchema1: 8,
  readManifest: 15,
  sketchManifest: 15,
  chooseImage: 18,
  convertToRegistryV1: 23,
  convertImage: 26,
  convertIndex: 35,
  convert: 35,
};

describe('a program with one export of the converters', () => {
  it('has a bound for each export', () => {
    expect(Object.keys(bounds).toSorted()).toEqual(Object.keys(converters).toSorted());
  });

  it.each(Object.entries(bounds))('%s: at most %d KiB', async (name, most) => {
    const text = await alone(name);
    expect(gzipSync(text).length / 1024).toBeLessThan(most);
  });

  it('works', async () => {
    const load = async (name: string) =>
      (await import(`data:text/javascript,${encodeURIComponent(await alone(name))}`)) as typeof converters;
    const bytes = new TextEncoder().encode('{}');
    expect((await load('digestOf')).digestOf(bytes)).toBe(converters.digestOf(bytes));
    expect((await load('layerTypeOf')).layerTypeOf(converters.mediaTypes.ociLayerZstd)).toEqual(
      converters.layerTypeOf(converters.mediaTypes.ociLayerZstd),
    );
  });
});

describe('a value of the top level', () => {
  it.each([
    ['const a = b.c;', 'const a = /* @__PURE__ */ (() => (b.c))();'],
    [
      'const a = [b.c], d = f();',
      'const a = /* @__PURE__ */ (() => ([b.c]))(), d = /* @__PURE__ */ (() => (f()))();',
    ],
    ['var a = { b: { ...c } };', 'var a = /* @__PURE__ */ (() => ({ b: { ...c } }))();'],
  ])('is marked if it is computed: %s', (code, marked) => {
    expect(withMarks(code)).toBe(marked);
  });

  it.each([
    'const a = 1;',
    "const a = ['b', { c: 1 }];",
    'const a = () => b.c;',
    'var a;',
    'a.b();',
    'function a() { const b = c.d; }',
  ])('stays as it is otherwise: %s', (code) => {
    expect(withMarks(code)).toBe(code);
  });
});
