import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
