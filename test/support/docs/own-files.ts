import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folders without files of their own. Files of wrangler may vanish while they are listed. */
const foreign = ['node_modules', 'dist', '.wrangler', '.git', 'golden'];

/** The paths of the files whose names end so, relative to the folder. */
export function filesBelow(folder: string, end: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return foreign.includes(entry.name) ? [] : filesBelow(folder, end, path);
    return entry.name.endsWith(end) ? [path] : [];
  });
}
