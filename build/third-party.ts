import { type BundledPackage, licenceTexts } from './packages.ts';

/**
 * Packages under the MIT licence that have no file with it, and the copyright line of their repositories.
 * `@redis/client`: LICENSE of redis/node-redis.
 */
const copyrightLines: Readonly<Record<string, string>> = {
  '@redis/client': 'Copyright (c) 2022-2025, Redis, inc.',
};

/**
 * Writes the page with the licences of all packages in the bundle, which these ask for.
 * @throws Error if a package has no text of its licence.
 */
export function thirdPartyPage(packages: readonly BundledPackage[]): string {
  const body = mitBody(packages);
  const sections = packages.map((each) => {
    const { name, version, license } = each;
    const copyright = copyrightLines[name];
    const found = licenceTexts(each);
    const texts = found.length > 0 || copyright === undefined ? found : [`${copyright}\n\n${body}`];
    if (texts.length === 0) throw new Error(`${name} has no text of its licence (${license})`);
    // An indented block may contain any text.
    const quoted = texts.join('\n\n').replace(/^(?=.)/gm, '    ');
    return `## ${name} ${version} (${license})\n\n${quoted}\n`;
  });
  return `# Licences of the packages in regshift

The program contains parts of these packages, under their own licences.

${sections.join('\n')}`;
}

/** The text of the MIT licence after the copyright line, from a package that has it. */
function mitBody(packages: readonly BundledPackage[]): string {
  for (const each of packages) {
    const [, body] = /(Permission is hereby granted[\s\S]*)/.exec(licenceTexts(each)[0] ?? '') ?? [];
    if (each.license === 'MIT' && body) return body;
  }
  throw new Error('no package has the text of the MIT licence');
}
