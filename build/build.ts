/**
 * Builds the npm package in `dist/package`, which needs no other package: `npm run build`. The container needs the
 * program alone: `node build/build.ts --program`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleLibrary, bundleProgram, root } from './bundle.ts';
import { packedDocuments, programDocuments } from './documents.ts';
import { libraryEntries, type ProjectManifest, publishedManifest } from './manifest.ts';
import { packagesOf } from './packages.ts';
import { sbomOf } from './sbom.ts';
import { thirdPartyPage } from './third-party.ts';
import { removeUnusedTypes, writeTypes } from './types.ts';

const programOnly = process.argv.includes('--program');
const target = join(root, 'dist/package');
const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as ProjectManifest;
const entries = programOnly ? {} : libraryEntries(project);

const bundles = [await bundleProgram(), ...(programOnly ? [] : [await bundleLibrary(entries)])];
const packages = packagesOf(bundles.flatMap(({ inputs }) => inputs));
const files = [
  ...bundles.flatMap((bundle) => bundle.files),
  { path: 'package.json', text: publishedManifest(project) },
  { path: 'THIRD-PARTY.md', text: thirdPartyPage(packages) },
  { path: 'sbom.cdx.json', text: sbomOf(project, packages) },
  ...packedDocuments(project, programOnly ? programDocuments : undefined),
];

rmSync(target, { recursive: true, force: true });
for (const { path, text } of files) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text, { mode: path === 'bin/start.js' ? 0o755 : 0o644 });
}
// The owner in the address that stands for one until `npm run release:address` fills it in.
if (!programOnly && project.repository.url.includes('/OWNER/')) {
  console.warn(
    'The project has no public address yet: links of the packed documents to files outside of the package lead nowhere.',
  );
}
const sources = Object.values(entries);
const workerProject = 'src/runtime/worker/tsconfig.json';
const isOfWorker = (source: string) => source.startsWith(dirname(workerProject));
if (!programOnly) {
  writeTypes(
    sources.filter((source) => !isOfWorker(source)),
    join(target, 'types'),
  );
  writeTypes(sources.filter(isOfWorker), join(target, 'types'), workerProject);
  removeUnusedTypes(sources, join(target, 'types'));
}
