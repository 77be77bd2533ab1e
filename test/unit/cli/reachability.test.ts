import { expect, it } from 'vitest';
import { reachability } from '../../../src/cli/reachability.ts';
import { readSettings } from '../../../src/config/settings.ts';

function printed(url: string, variables: Record<string, string> = {}): string {
  const read = readSettings({ REGSHIFT_UPSTREAM: 'https://registry.example', ...variables });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return reachability([url], read.settings, '192.0.2.7');
}

const insecure = (host: string) =>
  `      its /etc/docker/daemon.json needs { "insecure-registries": ["${host}"] }, because this is plain HTTP\n`;

it.each(['http://127.0.0.1:8080', 'http://[::1]:8080'])('%s: only this machine, and what to do', (url) => {
  expect(printed(url)).toBe(
    'Only this machine reaches it. For other machines, start it with HOST=0.0.0.0, and type there:\n' +
      `  docker pull 192.0.2.7:8080/<image>\n${insecure('192.0.2.7:8080')}`,
  );
});

it.each([
  ['http://0.0.0.0:8080', '192.0.2.7:8080'],
  ['http://[::]:8080', '192.0.2.7:8080'],
  ['http://192.0.2.9:81', '192.0.2.9:81'],
])('%s: what to type on another machine', (url, host) => {
  expect(printed(url)).toBe(`On another machine:\n  docker pull ${host}/<image>\n${insecure(host)}`);
});

it('names a sample, and the public address with its TLS', () => {
  expect(printed('http://0.0.0.0:8080', { REGSHIFT_UPSTREAM: 'sample' })).toContain('/sample/generic\n');
  expect(printed('http://127.0.0.1:8080', { REGSHIFT_PUBLIC_URL: 'https://images.example' })).toBe(
    'On another machine:\n  docker pull images.example/<image>\n',
  );
  const tls = { REGSHIFT_TLS_CERT: 'cert.pem', REGSHIFT_TLS_KEY: 'key.pem' };
  expect(printed('https://192.0.2.9:8443', tls)).toBe(
    'On another machine:\n  docker pull 192.0.2.9:8443/<image>\n',
  );
});
