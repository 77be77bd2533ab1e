import { expect, it } from 'vitest';
import { libraryEntries, type ProjectManifest, publishedManifest } from '../../../build/manifest.ts';

const project: ProjectManifest = {
  name: 'regshift',
  version: '1.2.3',
  description: 'A proxy',
  license: 'Apache-2.0',
  private: true,
  repository: { url: 'git+https://github.com/acme/regshift.git' },
  scripts: { start: 'node src/start.js' },
  dependencies: { hono: '^4.0.0' },
  exports: { '.': './src/create-app.ts', './converters': './converters/index.ts' },
};

it('the published package has a file and types for each entry of exports, and needs no other package', () => {
  expect(libraryEntries(project)).toEqual({ index: 'src/create-app.ts', converters: 'converters/index.ts' });
  expect(JSON.parse(publishedManifest(project))).toEqual({
    name: 'regshift',
    version: '1.2.3',
    description: 'A proxy',
    license: 'Apache-2.0',
    repository: { url: 'git+https://github.com/acme/regshift.git' },
    bin: { regshift: 'bin/start.js' },
    exports: {
      '.': { types: './types/src/create-app.d.ts', default: './lib/index.js' },
      './converters': { types: './types/converters/index.d.ts', default: './lib/converters.js' },
      './package.json': './package.json',
    },
  });
});
