import goldenFiles from 'virtual:golden-files';
import { goldenBytes } from '../golden.ts';
import type { CaseFile, Files } from './outcomes.ts';
import type { StoredCase } from './stored-case.ts';

const folder = 'pairs/';

/** Names of the cases. Throws if there are none, so that no table of tests is silently empty. */
export function pairNames(): string[] {
  const paths = Object.keys(goldenFiles).filter(
    (path) => path.startsWith(folder) && path.endsWith('/case.json'),
  );
  if (paths.length === 0) throw new Error('no golden pairs');
  return paths.map((path) => path.slice(folder.length, -'/case.json'.length)).sort();
}

/** The stored side of a case. */
export function storedPair(name: string): StoredCase {
  const file = JSON.parse(new TextDecoder().decode(goldenBytes(`${folder}${name}/case.json`))) as CaseFile;
  const documents = Object.entries(file.documents).map(
    ([digest, path]) => [digest, goldenBytes(`${folder}${name}/${path}`)] as const,
  );
  return {
    ...file,
    name,
    root: file.root as StoredCase['root'],
    documents: new Map(documents),
    layers: new Map(Object.entries(file.layers)),
  };
}

/** The frozen files of a case converted to one form. */
export function frozenOutcome(name: string, target: string): Files {
  const base = `${folder}${name}/to/`;
  const paths = Object.keys(goldenFiles).filter(
    (path) => path.startsWith(`${base}${target}.`) || path.startsWith(`${base}${target}/`),
  );
  return new Map(paths.map((path) => [path.slice(base.length), goldenBytes(path)]));
}

/** Names of the cases with an image that every form can hold. */
export function goldenPairsOfImages(): string[] {
  return pairNames().filter((name) => frozenOutcome(name, 'schema1').has('schema1.json'));
}
