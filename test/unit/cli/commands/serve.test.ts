import { expect, test } from 'vitest';
import { greeting, withOptions } from '../../../../src/cli/commands/serve.ts';
import type { Io } from '../../../../src/cli/terminal/io.ts';
import { readSettings } from '../../../../src/config/settings.ts';

test('options win over variables, and leave the others', () => {
  const io = { env: { PORT: '1', HOST: '::1', LOG_LEVEL: 'error' } } as unknown as Io;
  expect(withOptions(io, { port: 0, upstream: 'https://registry.example' }).env).toEqual({
    PORT: '0',
    HOST: '::1',
    LOG_LEVEL: 'error',
    REGSHIFT_UPSTREAM: 'https://registry.example',
  });
  expect(withOptions(io, {}).env).toEqual(io.env);
});

test('the requests to try have an address that a client on this machine can use', () => {
  const read = readSettings({});
  if ('problems' in read) throw new Error('no settings are right settings');
  const text = greeting(['http://0.0.0.0:8080'], read.settings, {});
  expect(text).toContain('sample registry on http://0.0.0.0:8080,');
  expect(text).toContain('docker pull 127.0.0.1:8080/sample/generic');
  expect(text).toContain('http://127.0.0.1:8080/v2/sample/oci/manifests/latest');
  expect(greeting(['http://[::]:8080'], read.settings, {})).toContain(
    'docker pull [::1]:8080/sample/generic',
  );
});

test('the reason for the samples is the one that the person gave', () => {
  const read = readSettings({ REGSHIFT_UPSTREAM: 'sample' });
  if ('problems' in read) throw new Error('the samples may be asked for');
  const first = (env: Record<string, string>) =>
    greeting(['http://[::1]:80'], read.settings, env).split('\n')[0];
  expect(first({ REGSHIFT_UPSTREAM: 'sample' })).toMatch(/, because its upstream is sample\.$/);
  expect(first({})).toMatch(/, because REGSHIFT_UPSTREAM names no other\.$/);
});
