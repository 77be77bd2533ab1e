import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './bundle.ts';

/**
 * Writes the types of the sources, and of all that they import, below a folder.
 * @param sources paths below the root of the project.
 * @param folder a folder of `dist`.
 * @param project the tsconfig.json with the types of the runtime.
 * @throws Error if the compiler finds an error.
 */
export function writeTypes(sources: readonly string[], folder: string, project = 'tsconfig.json'): void {
  const config = {
    extends: join(root, project),
    compilerOptions: {
      rootDir: root,
      outDir: folder,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
    },
    files: sources.map((source) => join(root, source)),
    include: [],
  };
  mkdirSync(folder, { recursive: true });
  const path = join(root, 'dist/tsconfig.types.json');
  writeFileSync(path, JSON.stringify(config));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', path], {
    stdio: 'inherit',
  });
}

/**
 * Removes the types that those of the entries do not import. The compiler writes the types of each source that it reads.
 * @param sources the entries, as paths below the root of the project.
 */
export function removeUnusedTypes(sources: readonly string[], folder: string): void {
  const used = new Set<string>();
  const waiting = sources.map((source) => join(folder, declarationOf(source)));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (used.has(file)) continue;
    used.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport\()['"](\.[^'"]+)['"]/g);
    for (const [, path = ''] of imports) waiting.push(join(dirname(file), declarationOf(path)));
  }
  for (const path of globSync('**/*.d.ts', { cwd: folder })) {
    if (!used.has(join(folder, path))) rmSync(join(folder, path));
  }
}

function declarationOf(source: string): string {
  return source.replace(/\.ts$/, '.d.ts');
}
