/** The text of a release: `node test/support/release/notes.ts v0.2.0` prints its section of CHANGELOG.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @returns the section of a version without its title, or undefined if there is none. */
export function notesOf(changelog: string, version: string): string | undefined {
  const section = changelog.split(/^## /m).find((each) => each.split('\n')[0]?.trim() === version);
  const text = section?.slice(section.indexOf('\n')).trim();
  return text === '' ? undefined : text;
}

export function readChangelog(): string {
  return readFileSync(join(import.meta.dirname, '../../../CHANGELOG.md'), 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(notesOf(readChangelog(), process.argv[2]?.replace(/^v/, '') ?? ''));
}
