import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type InputOptions, type OutputChunk, type OutputOptions, rolldown } from 'rolldown';
import { chunkName, chunksOf, type Parts } from './chunks.ts';

export const root = join(import.meta.dirname, '..');

/** A file of the package, with its path in it. */
export interface PackedFile {
  readonly path: string;
  readonly text: string;
}

/** Files that the bundler made, and the modules that are in them. */
export interface Bundle {
  readonly files: readonly PackedFile[];
  readonly inputs: readonly string[];
}

/** The files are not minified: a stack has the names of the sources, and the path of each module is before it. */
const written = {
  format: 'es',
  // Letters of other alphabets are escaped: V8 takes two bytes for each character of a file that has one.
  charset: 'ascii',
  comments: false,
  minify: false,
  minifyInternalExports: false,
  entryFileNames: '[name].js',
  chunkFileNames: ({ name, facadeModuleId }) => `${facadeModuleId ? chunkName(facadeModuleId) : name}.js`,
} satisfies OutputOptions;

const node = {
  platform: 'node',
  transform: { target: 'node22.18' },
} satisfies InputOptions;

/**
 * The program. A start of the proxy reads `base`, `core`, `registry` and `serve`, and `regshift convert` the first two:
 * all modules of a file run when Node loads it. With one file for the first three, `regshift convert` took twice the CPU.
 */
const programParts: Parts = {
  joined: {
    serve: /\/src\/cli\/commands\/(?:serve|check-config)\.ts$/,
    convert: /\/src\/cli\/commands\/(?:convert|keygen)\.ts$/,
    // `save` has a package of its own.
    commands: /\/src\/cli\/commands\/(?!save\.ts$)[^/]+\.ts$/,
    completion: /\/src\/cli\/completion\//,
    page: /\/src\/http\/page\//,
  },
  shared: [
    ['base', ['cli', 'main']],
    ['core', ['convert']],
    ['registry', ['commands', 'save'], ['serve', 'page']],
    ['serve', ['serve']],
    ['commands', ['commands', 'save']],
    ['opentelemetry', ['prometheus'], ['shared-cache']],
  ],
};

/** The library. The converters load nothing of the app, and the app nothing of the Worker. */
const libraryParts: Parts = { joined: {}, shared: [['core', ['converters']], ['app']] };

/**
 * Bundles the command. What a setting or a command alone needs is a file of its own, which the program loads then.
 * @returns the files of `bin/`.
 */
export async function bundleProgram(): Promise<Bundle> {
  const program = await made(node, { cli: 'src/cli.ts' }, programParts);
  // Each of them is loaded without the rest of the program.
  const compileCache = await made(node, { 'compile-cache': 'src/compile-cache.js' });
  const passwordThread = await made(node, { 'password-thread': 'src/runtime/node/password-thread.ts' });
  return inFolder('bin', [program, compileCache, passwordThread], [{ path: 'start.js', text: startFile() }]);
}

/**
 * Bundles the modules that other programs import. They may run on any JavaScript platform, so they name modules of Node
 * and of Cloudflare, and nothing else, as they are in the sources.
 * @param entries the sources by the names of the bundled files, without `.js`.
 * @returns the files of `lib/`.
 */
export async function bundleLibrary(entries: Readonly<Record<string, string>>): Promise<Bundle> {
  const library = await made(
    {
      platform: 'neutral',
      resolve: {
        mainFields: ['module', 'main'],
        alias: { crypto: join(root, 'build/no-crypto.ts') },
      },
      external: /^(?:node|cloudflare):/,
      transform: { target: 'es2024' },
    },
    entries,
    libraryParts,
  );
  return inFolder('lib', [library]);
}

/** `src/start.js` with the name that its import has here. An older Node reads it, so it is not bundled. */
function startFile(): string {
  const text = readFileSync(join(root, 'src/start.js'), 'utf8');
  const bundled = text.replace("import('./cli.ts')", "import('./cli.js')");
  if (bundled === text) throw new Error('src/start.js does not import ./cli.ts');
  return bundled;
}

/** @param entries the sources by the names of their files, without `.js`. */
async function made(
  options: InputOptions,
  entries: Readonly<Record<string, string>>,
  parts: Parts = { joined: {}, shared: [] },
): Promise<Bundle> {
  const input = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, path)]));
  // rolldown asks for `allow-extension` where a group takes a module without its imports. The parts give no entry another
  // export.
  const build = await rolldown({ ...options, cwd: root, input, preserveEntrySignatures: 'allow-extension' });
  const chunkOf = chunksOf(parts, input);
  const { output } = await build.generate({
    ...written,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          debugName: 'parts',
          name: (id, context) => chunkOf(id, (each) => context.getModuleInfo(each)) ?? null,
        },
      ],
    },
  });
  await build.close();
  const chunks = output.filter((each) => each.type === 'chunk');
  return { files: withoutDetours(chunks), inputs: chunks.flatMap(inputsOf) };
}

/**
 * Leaves out the files that only import one file and export some of its exports: rolldown makes one for each target of an
 * import() that a group takes. The import() names the file with the target itself.
 */
function withoutDetours(chunks: readonly OutputChunk[]): PackedFile[] {
  const detours = new Map(chunks.flatMap(detourOf));
  return chunks
    .map(({ fileName, code }) => ({
      path: fileName,
      text: code.replace(/(?<=\bimport\()"\.\/([^"]+)"(?=\))/g, (name, file) => detours.get(file) ?? name),
    }))
    .filter(({ path }) => !detours.has(path));
}

/** The file of a detour with the specifier of its only import. An export with another name than in that file is no detour. */
function detourOf({ fileName, code, isEntry }: OutputChunk): [file: string, target: string][] {
  const [, imported = '', target, exported = ''] =
    /^import \{([\w$, ]+)\} from ("\.\/[^"]+");\s*export \{([\w$, ]+)\};\s*$/.exec(code) ?? [];
  const hasOtherName = /\bas\b/.test(imported + exported);
  return isEntry || target === undefined || hasOtherName ? [] : [[fileName, target]];
}

/** The modules of which a part is in a file. */
function inputsOf({ modules }: OutputChunk): string[] {
  return Object.entries(modules).flatMap(([id, { renderedLength }]) =>
    renderedLength > 0 && id.startsWith(root) ? [relative(root, id)] : [],
  );
}

function inFolder(folder: string, bundles: readonly Bundle[], more: readonly PackedFile[] = []): Bundle {
  const files = [...more, ...bundles.flatMap((each) => each.files)];
  return {
    files: files.map(({ path, text }) => ({ path: `${folder}/${path}`, text })),
    inputs: bundles.flatMap(({ inputs }) => inputs),
  };
}
