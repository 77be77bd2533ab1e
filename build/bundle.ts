import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type InputOptions, type OutputChunk, type OutputOptions, type Plugin, rolldown } from 'rolldown';
import { chunkName, chunksOf, type Parts } from './chunks.ts';
import { removableValues } from './removable.ts';

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

/** The program is one file. What a setting alone needs is a file of its own, which the program loads then. */
const programParts: Parts = {
  joined: {
    // The modules of the entry are in one file with those that other files need, too.
    regshift: /\/src\/cli\.ts$/,
    page: /\/src\/http\/page\//,
  },
  shared: [
    ['regshift', ['regshift']],
    ['opentelemetry', ['prometheus'], ['shared-cache']],
  ],
};

/** The code of a command is in the file of the program, and runs when the command does. */
const commandsInTheFile: Plugin = {
  name: 'commands in the file',
  transform: {
    filter: { id: /\/src\/cli(?:\/.+)?\.ts$/ },
    // The bundler lets a module that is required wait for its first use, and gives its exports.
    handler: (code) => code.replace(/\bimport\(('\.[^']+')\)/g, 'Promise.resolve().then(() => require($1))'),
  },
};

/**
 * A module of Node waits for the first module of the program that needs it. Node loads what a file imports by a
 * declaration before it runs the file: `regshift convert` then takes 30 ms more, for HTTP and TLS, which it does not use.
 */
const modulesOfNodeAtFirstUse: Plugin = {
  name: 'modules of Node at first use',
  resolveId: {
    filter: { id: /^node:/ },
    handler: (id, importer) =>
      importer?.startsWith(root) ? { id: `\0${id}`, moduleSideEffects: false } : undefined,
  },
  load: {
    // A zero character marks a module that is no file.
    filter: { id: /^\0node:/ },
    handler: (id) => `module.exports = process.getBuiltinModule('${id.slice(1)}');`,
  },
};

/** The library. The converters load nothing of the app, and the app nothing of the Worker. */
const libraryParts: Parts = { joined: {}, shared: [['core', ['converters']], ['app']] };

/**
 * Bundles the command.
 * @returns the files of `bin/`.
 */
export async function bundleProgram(): Promise<Bundle> {
  const plugins = [commandsInTheFile, modulesOfNodeAtFirstUse];
  const program = await made({ ...node, plugins }, { regshift: 'src/cli.ts' }, programParts);
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
      plugins: [removableValues(['converters', 'core'])],
    },
    entries,
    libraryParts,
  );
  return inFolder('lib', [library]);
}

/** `src/start.js` with the name that its import has here. An older Node reads it, so it is not bundled. */
function startFile(): string {
  const text = readFileSync(join(root, 'src/start.js'), 'utf8');
  const bundled = text.replace("import('./cli.ts')", "import('./regshift.js')");
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
  // rolldown asks for `allow-extension` where a group takes a module without its imports. Of the entries, only that of the
  // program gets exports that its source does not have: files of settings import them.
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
 * import() that a group takes. The import() names the file with the target itself, and runs the target.
 */
function withoutDetours(chunks: readonly OutputChunk[]): PackedFile[] {
  const detours = new Map(chunks.flatMap(detourOf));
  return chunks
    .map(({ fileName, code }) => ({
      path: fileName,
      text: code.replace(/\bimport\("\.\/([^"]+)"\)/g, (call, file) => detours.get(file) ?? call),
    }))
    .filter(({ path }) => !detours.has(path));
}

/** The file of a detour with the call in place of its import(). An export with another name than in that file is no detour. */
function detourOf({ fileName, code, isEntry }: OutputChunk): [file: string, call: string][] {
  const [, imported = '', target, init, exported = ''] =
    /^import \{([\w$, ]+)\} from ("\.\/[^"]+");\s*(?:(init_\w+)\(\);\s*)?export \{([\w$, ]+)\};\s*$/.exec(
      code,
    ) ?? [];
  const hasOtherName = /\bas\b/.test(imported + exported);
  if (isEntry || target === undefined || hasOtherName) return [];
  const call = `import(${target})`;
  return [[fileName, init ? `${call}.then((file) => (file.${init}(), file))` : call]];
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
