/** Prints the figures of the program's structure: `npm run check:house`. */
import { deepFiles, lonelyFiles } from './sizes.ts';
import { inside } from './sources.ts';
import { circles, storeys, upwardImports } from './storeys.ts';
import { uncountedTables } from './tables.ts';
import { clauseComments, namesThatEnded, repeatedNames } from './words.ts';

const figures: readonly (readonly [string, readonly unknown[]])[] = [
  ['files in circles of imports', circles(inside)],
  ['imports that point up', upwardImports(inside).map(({ from, to }) => `${from} -> ${to}`)],
  ['files of 30 lines or less with one importer', lonelyFiles()],
  ['files in folders more than three deep', deepFiles()],
  ['tables outside of the memory budget', uncountedTables()],
  ['comments that begin with a clause', clauseComments().map(({ place, text }) => `${place} ${text}`)],
  ['exported names that the glossary ended', namesThatEnded()],
  ['exported names with two meanings', repeatedNames()],
];
for (const [name, found] of figures) {
  console.log(`${String(found.length).padStart(5)}  ${name}`);
  if (process.argv.includes('--list')) for (const each of found) console.log(`         ${each}`);
}
console.log(`${String(storeys.length).padStart(5)}  floors`);
process.exitCode = figures.some(([, found]) => found.length > 0) ? 1 : 0;
