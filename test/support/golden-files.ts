import { readdirSync, readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const root = new URL('../golden/', import.meta.url);

/**
 * Makes `virtual:golden-files` importable in every runtime (workerd has no file system): a record of path below
 * `test/golden` to the file's bytes in base64, because some of the cases are no valid UTF-8.
 */
export function goldenFiles(): Plugin {
  const id = '\0virtual:golden-files';
  return {
    name: 'golden-files',
    resolveId: (source) => (source === 'virtual:golden-files' ? id : undefined),
    load(requested) {
      if (requested !== id) return undefined;
      const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      );
      const entries = files.map((each) => {
        const path = `${each.parentPath}/${each.name}`;
        return [path.slice(root.pathname.length), readFileSync(path).toString('base64')];
      });
      return `export default ${JSON.stringify(Object.fromEntries(entries))}`;
    },
  };
}
