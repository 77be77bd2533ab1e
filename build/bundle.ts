import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { nameChunks } from './chunk-names.ts';

export const root = join(import.meta.dirname, '..');

/** A file of the package, with its path in it. */
export interface PackedFile {
  readonly path: string;
  readonly text: string;
}

/** Files that esbuild made, and the modules that are in them. */
export interface Bundle {
  readonly files: readonly PackedFile[];
  readonly inputs: readonly string[];
}

/**
 * The options of all files. They are not minified: a stack has the names of the sources, and esbuild writes the path of
 * each module before it.
 */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  // Letters of other alphabets are escaped: V8 takes two bytes for each character of a file that has one.
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  write: false,
  outdir: '.',
} satisfies BuildOptions;

const node = { ...common, platform: 'node', target: 'node22.18' } satisfies BuildOptions;

/** Packages in CommonJS `require` modules of Node. The function that esbuild gives them uses a `require` that it finds. */
const requireOfNode = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
`;

/**
 * Bundles the command. What a setting or a command alone needs is a file of its own, which the program loads then.
 * @returns the files of `bin/`.
 */
export async function bundleProgram(): Promise<Bundle> {
  const program = await made({ ...node, splitting: true, entryPoints: { cli: 'src/cli.ts' } });
  // Each of them is loaded without the rest of the program.
  const apart = ['src/compile-cache.js', 'src/runtime/node/password-thread.ts'];
  const others = await Promise.all(
    apart.map((entry) => made({ ...node, entryPoints: [entry], outbase: '' })),
  );
  const bundles = [program, ...others].map((bundle) => ({ ...bundle, files: bundle.files.map(withRequire) }));
  return inFolder('bin', bundles, [{ path: 'start.js', text: startFile() }]);
}

/**
 * Bundles the modules that other programs import. They may run on any JavaScript platform, so they name modules of Node
 * and of Cloudflare, and nothing else, as they are in the sources.
 * @param entries the sources by the names of the bundled files, without `.js`.
 * @returns the files of `lib/`.
 */
export async function bundleLibrary(entries: Readonly<Record<string, string>>): Promise<Bundle> {
  const library = await made({
    ...common,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    alias: { crypto: './build/no-crypto.ts' },
    external: ['node:*', 'cloudflare:*'],
    target: 'es2024',
    splitting: true,
    entryPoints: { ...entries },
  });
  return inFolder('lib', [library]);
}

function withRequire({ path, text }: PackedFile): PackedFile {
  return { path, text: text.includes('typeof require ') ? `${requireOfNode}${text}` : text };
}

/** `src/start.js` with the name that its import has here. An older Node reads it, so it is not bundled. */
function startFile(): string {
  const text = readFileSync(join(root, 'src/start.js'), 'utf8');
  const bundled = text.replace("import('./cli.ts')", "import('./cli.js')");
  if (bundled === text) throw new Error('src/start.js does not import ./cli.ts');
  return bundled;
}

async function made(
  options: BuildOptions & { readonly write: false; readonly metafile: true },
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...options,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [path.slice(root.length + 1), text]));
  return { files: nameChunks(texts, metafile), inputs: inputsOf(metafile) };
}

/** The modules of which a part is in a file. */
function inputsOf({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
}

function inFolder(folder: string, bundles: readonly Bundle[], more: readonly PackedFile[] = []): Bundle {
  const files = [...more, ...bundles.flatMap((each) => each.files)];
  return {
    files: files.map(({ path, text }) => ({ path: `${folder}/${path}`, text })),
    inputs: bundles.flatMap(({ inputs }) => inputs),
  };
}
