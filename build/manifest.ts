/** package.json of the project, as far as the build reads it. */
export interface ProjectManifest {
  readonly [member: string]: unknown;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  /** The public address of the project: `url` is like `git+https://github.com/acme/regshift.git`. */
  readonly repository: { readonly url: string };
  readonly dependencies: Readonly<Record<string, string>>;
  /** The sources of the modules that other programs import. The build adds an entry from here. */
  readonly exports: Readonly<Record<string, string>>;
}

/** The members of the published package.json that are the project's. All its packages are in the bundle, so it depends on none. */
const published = [
  ...['name', 'version', 'description', 'keywords', 'homepage', 'bugs', 'license', 'author', 'repository'],
  ...['publishConfig', 'type', 'engines'],
];

/** The sources of the exports by the names of their bundled files: `./converters` is `converters`, `.` is `index`. */
export function libraryEntries({ exports }: ProjectManifest): Record<string, string> {
  return Object.fromEntries(Object.entries(exports).map(([name, source]) => [fileOf(name), source.slice(2)]));
}

/** Writes the package.json of the published package. */
export function publishedManifest(project: ProjectManifest): string {
  const exports = Object.entries(project.exports).map(([name, source]) => [
    name,
    {
      types: `./types/${source.slice(2).replace(/\.ts$/, '.d.ts')}`,
      default: `./lib/${fileOf(name)}.js`,
    },
  ]);
  const manifest = {
    ...Object.fromEntries(published.map((member) => [member, project[member]])),
    bin: { regshift: 'bin/start.js' },
    // Programs that list packages, and apps that show their versions, read this file by its name in the package.
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

function fileOf(name: string): string {
  return name === '.' ? 'index' : name.slice(2).replaceAll('/', '-');
}
