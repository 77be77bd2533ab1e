import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { version } from '../../src/version.ts';

it('the version in the code is that of package.json', () => {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  expect(version).toBe((JSON.parse(file) as { version: string }).version);
});

it('the version on the label of the container is the same', () => {
  const file = readFileSync(new URL('../../deploy/docker/Dockerfile', import.meta.url), 'utf8');
  expect(file).toContain(`\nARG VERSION=${version}\n`);
});
