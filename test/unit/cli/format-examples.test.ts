import { join } from 'node:path';
import { expect, test } from 'vitest';
import { regshift, temporaryFolder } from '../../support/cli.ts';
import { startUploadRegistry } from '../../support/upload-registry.ts';
import { useSampleServer } from '../../support/use-sample-server.ts';

const samples = useSampleServer();

/** Commands with `--format`, and arguments with which they succeed. */
const commands: readonly (readonly [
  command: string,
  argv: () => Promise<readonly string[]> | readonly string[],
])[] = [
  ['check-config', () => []],
  ['warm', () => ['sample/oci', '--proxy', samples.url, '--for', 'crane']],
  ['store info', () => []],
  ['store verify', () => []],
  ['store prune', () => []],
  ['inspect', () => [`${samples.host}/sample/oci`]],
  ['explain', () => [`${samples.host}/sample/oci`, '--for', 'crane']],
  ['verify', () => [`${samples.host}/sample/oci`]],
  ['check', () => [`${samples.host}/sample/oci`, '--clients', 'crane']],
  [
    'save',
    () => [`${samples.host}/sample/oci`, '--for', 'crane', '-o', join(temporaryFolder(), 'image.tar')],
  ],
  [
    'copy',
    async () => [`${samples.host}/sample/oci`, `${(await startUploadRegistry({})).host}/copied/oci:1.0`],
  ],
];

test.each(commands)('the template in the help of %s has a value', async (command, argv) => {
  const words = command.split(' ');
  const { out: help } = await regshift([...words, '--help']);
  const template =
    /like (\{\{.*?\}\}(?:\S*\}\}| \{\{end\}\})?)\s*$/m.exec(help.replace(/like\n\s+/g, 'like '))?.[1] ?? '';
  expect(template).not.toBe('');
  const env = { REGSHIFT_STORE: `file://${temporaryFolder()}` };
  const { code, out } = await regshift([...words, ...(await argv()), '--format', template], { env });
  expect(code).toBe(0);
  expect(out.trim()).not.toBe('');
  expect(out).not.toContain('<no value>');
});
