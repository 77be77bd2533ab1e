import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { builtCases } from './built-cases.ts';
import { handMadeCases } from './hand-made-cases.ts';
import { type Files, outcomeFiles, storedFiles, targets } from './outcomes.ts';
import { sampleCases } from './sample-cases.ts';
import type { StoredCase } from './stored-case.ts';

/**
 * Writes `test/golden/pairs/<case>/`: a stored manifest, and its conversion to each form. The files are frozen: the
 * program does not touch an existing case unless the command line names it. A change to a released case changes digests
 * that users have recorded.
 *
 *     node test/support/converters/write-pairs.ts [case …]
 *
 * umoci, skopeo and buildah build the images and must be installed. Each build makes other images.
 */
const root = join(import.meta.dirname, '../../golden/pairs');
const again = new Set(process.argv.slice(2));

async function write(folder: string, files: Files): Promise<void> {
  for (const [path, bytes] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

async function writeCase(stored: StoredCase): Promise<void> {
  const folder = join(root, stored.name);
  if (existsSync(folder) && !again.has(stored.name)) return;
  await rm(folder, { recursive: true, force: true });
  await write(folder, storedFiles(stored));
  for (const target of targets) await write(join(folder, 'to'), await outcomeFiles(stored, target));
  console.log(stored.name);
}

for (const stored of [...(await sampleCases()), ...handMadeCases()]) await writeCase(stored);
const built = ['umoci-oci', 'skopeo-oci', 'skopeo-zstd', 'buildah-oci', 'buildah-schema2-many'];
if (built.some((name) => again.has(name) || !existsSync(join(root, name)))) {
  for (const stored of await builtCases()) await writeCase(stored);
}
