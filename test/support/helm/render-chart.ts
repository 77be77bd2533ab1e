import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesObject } from '../kubernetes-objects.ts';
import { programEnvironment, reasonToSkip, requirePeers, runProgram } from '../programs.ts';
import { chartFolder } from './chart-files.ts';

const root = join(import.meta.dirname, '../../..');

/** Debian's folder of Go libraries. */
const goPath = '/usr/share/gocode';

/** The libraries that the program of `./render` needs, by Debian's packages. */
const goLibraries: Readonly<Record<string, string>> = {
  'golang-github-masterminds-sprig-dev': 'github.com/Masterminds/sprig',
  'golang-github-xeipuuv-gojsonschema-dev': 'github.com/xeipuuv/gojsonschema',
  'golang-k8s-sigs-yaml-dev': 'sigs.k8s.io/yaml',
};

/** The reason why the chart cannot be rendered here, as `requirePeers` gives it. */
export function requireChartRenderer(): string | undefined {
  const missing = Object.keys(goLibraries).filter(
    (each) => !existsSync(join(goPath, 'src', goLibraries[each] ?? '')),
  );
  return requirePeers('go') ?? reasonToSkip(missing, `apt-get install ${missing.join(' ')}`);
}

export interface ChartRelease {
  readonly objects: readonly KubernetesObject[];
  /** The text that Helm prints at the end. */
  readonly notes: string;
}

/** The form in which Helm gives numbers to templates: Helm 3 gives float64, and Helm 4 their text. */
export type NumberForm = 'float64' | 'text';

export interface ChartRenderer {
  /**
   * Renders the chart once for each of the values, as a release `regshift` in the namespace `images`.
   * @returns the objects of each release, or the message with which Helm refuses its values.
   */
  readonly render: (
    releases: readonly object[],
    numbers?: NumberForm,
  ) => readonly (ChartRelease | { readonly error: string })[];
}

/** Builds the program that renders, in a folder of the test. */
export async function buildChartRenderer(home: string): Promise<ChartRenderer> {
  const program = join(home, 'render');
  const source = join(import.meta.dirname, 'render/main.go');
  const go = ['GO111MODULE=off', `GOPATH=${goPath}`, 'go', 'build', '-o', program, source];
  await runProgram('env', go, home);
  return {
    render: (releases, numbers = 'float64') => {
      const asked = releases.map((values) => ({
        name: 'regshift',
        namespace: 'images',
        values: stringify(values),
        numbers,
      }));
      const { stdout, stderr, status } = spawnSync(program, [join(root, chartFolder)], {
        input: JSON.stringify(asked),
        env: programEnvironment(home),
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
        timeout: 60_000,
      });
      if (status !== 0) throw new Error(`the chart was not rendered: ${stderr}`);
      const results = JSON.parse(stdout) as { files?: Record<string, string>; error?: string }[];
      return results.map(({ files = {}, error }) => (error === undefined ? releaseOf(files) : { error }));
    },
  };
}

function releaseOf(files: Readonly<Record<string, string>>): ChartRelease {
  const { 'templates/NOTES.txt': notes = '', ...templates } = files;
  const objects = Object.entries(templates).flatMap(([file, text]) =>
    parseAllDocuments(text).flatMap((document) => {
      const [problem] = [...document.errors, ...document.warnings];
      if (problem) throw new Error(`${file}: ${problem.message}\n${text}`);
      const object = document.toJS() as KubernetesObject | null;
      return object === null ? [] : [object];
    }),
  );
  return { objects, notes };
}
