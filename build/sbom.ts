import type { BundledPackage } from './packages.ts';

/** The facts about the project that the list names. */
export interface Project {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  /** The packages that the project itself imports. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Writes the list of what is in the bundle, in CycloneDX 1.6: each package with its version, licence and digest. `npm
 * sbom --omit dev` of npm 11.19 has packages that are not in the bundle, and lacks those that a development package
 * needs too (yaml, zod). The list has no time and no random
 * number: the same sources give the same bytes.
 */
export function sbomOf(project: Project, packages: readonly BundledPackage[]): string {
  const own = `${project.name}@${project.version}`;
  const byPath = new Map(packages.map((each) => [each.path, each]));
  const references = (paths: readonly string[]) =>
    paths.map((path) => referenceOf(byPath.get(path))).toSorted();
  const direct = Object.keys(project.dependencies)
    .map((name) => `node_modules/${name}`)
    .filter((path) => byPath.has(path));
  const list = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        'bom-ref': own,
        type: 'application',
        name: project.name,
        version: project.version,
        description: project.description,
        purl: purlOf(project),
        licenses: licensesOf(project.license),
      },
    },
    components: packages.map((each) => ({
      'bom-ref': referenceOf(each),
      type: 'library',
      name: each.name,
      version: each.version,
      purl: purlOf(each),
      hashes: hashesOf(each.integrity),
      licenses: licensesOf(each.license),
    })),
    dependencies: [
      { ref: own, dependsOn: references(direct) },
      ...packages.map((each) => ({ ref: referenceOf(each), dependsOn: references(each.needs) })),
    ],
  };
  return `${JSON.stringify(list, undefined, 2)}\n`;
}

function referenceOf(each: BundledPackage | undefined): string {
  if (each === undefined) throw new Error('a package needs one that is not in the bundle');
  return `${each.name}@${each.version}`;
}

/** The address of a package for programs (https://github.com/package-url/purl-spec, type npm). */
function purlOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function hashesOf(integrity: string): readonly { readonly alg: string; readonly content: string }[] {
  const [, base64] = /^sha512-(\S+)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`${integrity} is not a SHA-512`);
  return [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }];
}

function licensesOf(license: string): readonly object[] {
  return /^[\w.-]+$/.test(license) ? [{ license: { id: license } }] : [{ expression: license }];
}
