/**
 * Refuses a release that is not ready: `node test/support/release/check.ts v0.2.0`. Every step that publishes runs after
 * this one.
 */
import { fileURLToPath } from 'node:url';
import { type PackageFile, placeholder, projectAddress, readPackageFile } from './address.ts';
import { notesOf, readChangelog } from './notes.ts';

/** @returns a sentence for each reason against a release of this tag. */
export function releaseProblems(tag: string, about: PackageFile, changelog: string): string[] {
  const { version } = about;
  const problems: string[] = [];
  if (projectAddress(about) === placeholder) {
    problems.push(
      `The project has no public address: package.json has the placeholder ${placeholder}. ` +
        'Fill it in with: npm run release:address -- https://github.com/<owner>/<name>',
    );
  }
  if (tag !== `v${version}`) {
    problems.push(`The tag is ${tag}, and package.json has version ${version}: the tag must be v${version}.`);
  }
  if (notesOf(changelog, version) === undefined) {
    problems.push(`CHANGELOG.md has no section "## ${version}", which is the text of the release.`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = releaseProblems(process.argv[2] ?? '(none)', readPackageFile(), readChangelog());
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
