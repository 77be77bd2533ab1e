import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram, root } from '../../../build/bundle.ts';
import { type BundledPackage, licenceTexts, packageOf, packagesOf } from '../../../build/packages.ts';
import { type Project, sbomOf } from '../../../build/sbom.ts';
import { thirdPartyPage } from '../../../build/third-party.ts';
import { npmEnvironment } from '../../support/installed-package.ts';

const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Project;

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly object[];
  readonly licenses: readonly object[];
}

interface Sbom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

let packages: readonly BundledPackage[];
let sbom: Sbom;
beforeAll(async () => {
  packages = packagesOf((await bundleProgram()).inputs);
  sbom = JSON.parse(sbomOf(project, packages)) as Sbom;
}, 60_000);

describe('the packages in the bundle', () => {
  it.each([
    ['node_modules/hono/dist/hono.js', { path: 'node_modules/hono', name: 'hono' }],
    ['node_modules/a/node_modules/@b/c/d.js', { path: 'node_modules/a/node_modules/@b/c', name: '@b/c' }],
    ['src/cli.ts', undefined],
  ])('%s belongs to its package', (module, expected) => {
    expect(packageOf(module)).toEqual(expected);
  });

  it('are those that the program imports, and what these need', () => {
    const names = packages.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['@redis/client', 'bintrees', 'hono', 'prom-client', 'yaml', 'zod']),
    );
    // Streams of another runtime, which tar-stream names and Node never loads.
    expect(names.filter((name) => name.startsWith('bare-'))).toEqual([]);
  });

  it('must be in the lock file', () => {
    expect(() => packagesOf(['node_modules/not-locked/index.js'])).toThrow(
      'package-lock.json lacks the version, license or integrity of node_modules/not-locked',
    );
  });
});

describe('sbom.cdx.json', () => {
  it('says of each package what npm sbom says of an installed one', () => {
    const argv = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
    const options = { cwd: root, env: npmEnvironment(), encoding: 'utf8' } as const;
    const installed = JSON.parse(execFileSync('npm', argv, { ...options, maxBuffer: 2 ** 24 })) as Sbom;
    const facts = ({ name, version, purl, hashes, licenses }: Component) => ({
      name,
      version,
      purl,
      hashes,
      licenses,
    });
    const byPurl = new Map(installed.components.map((each) => [each.purl, facts(each)]));
    expect(sbom.components.length).toBe(packages.length);
    for (const component of sbom.components) expect(facts(component)).toEqual(byPurl.get(component.purl));
  }, 30_000);

  it('has each package once, and a way from the program to each', () => {
    const known = sbom.components.map((each) => each['bom-ref']);
    expect(new Set(known).size).toBe(known.length);
    const needs = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const reach = (ref: string) => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of needs.get(ref) ?? []) reach(next);
    };
    reach(`${project.name}@${project.version}`);
    expect([...reached].toSorted()).toEqual([`${project.name}@${project.version}`, ...known].toSorted());
  });
});

describe('THIRD-PARTY.md', () => {
  it('has the licence of each package in its own words', () => {
    const page = thirdPartyPage(packages).replace(/^ {4}/gm, '');
    for (const each of packages) {
      expect(page).toContain(`\n## ${each.name} ${each.version} (${each.license})\n`);
      for (const text of licenceTexts(each)) expect(page).toContain(text);
    }
    expect(page).toMatch(/## @redis\/client .*\n\nCopyright .* Redis, inc\.\n\nPermission is hereby granted/);
  });

  it('cannot be written without a licence', () => {
    const unlicensed = { ...packages[0], name: 'unlicensed', path: 'src' } as BundledPackage;
    expect(() => thirdPartyPage([...packages, unlicensed])).toThrow('unlicensed has no text of its licence');
  });
});
