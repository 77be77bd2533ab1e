import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../src/config/settings.ts';

const secret = '0123456789abcdef';

function problemsOf(variables: Record<string, string>): string[] {
  const read = readSettings(variables);
  return 'problems' in read ? read.problems.map(({ variable, value }) => `${variable} ${value}`) : [];
}

function clientsOf(variables: Record<string, string>): string[] {
  const read = readSettings({ REGSHIFT_EVENTS_SECRET: secret, ...variables });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.settings.REGSHIFT_WARM.map(({ userAgent }) => userAgent);
}

describe('REGSHIFT_EVENTS_SECRET', () => {
  test.each(['short', 'with spaces in between', '\u00e9'.repeat(20)])(
    '%j is refused, and not shown',
    (value) => {
      expect(problemsOf({ REGSHIFT_EVENTS_SECRET: value })).toEqual(['REGSHIFT_EVENTS_SECRET (not shown)']);
    },
  );

  test('may be in a file', () => {
    const read = readSettings({ REGSHIFT_EVENTS_SECRET_FILE: '/secret' }, () => `${secret}\n`);
    expect('settings' in read && read.settings.REGSHIFT_EVENTS_SECRET).toBe(secret);
  });
});

describe('REGSHIFT_WARM', () => {
  test('has the generations that need another form most, by default', () => {
    expect(clientsOf({})).toEqual(['docker/1.9.1', 'docker/1.13.1', 'docker/20.10.24']);
  });

  test('takes other versions of known programs, and none', () => {
    expect(clientsOf({ REGSHIFT_WARM: 'docker-1.6.2, podman' })).toEqual(['docker/1.6.2', 'skopeo/1.9.3']);
    expect(clientsOf({ REGSHIFT_WARM: 'none' })).toEqual([]);
  });

  test('refuses unknown clients, with the known ones', () => {
    const read = readSettings({ REGSHIFT_EVENTS_SECRET: secret, REGSHIFT_WARM: 'docker-1.9 lynx-2' });
    const messages = 'problems' in read ? read.problems.map(({ message }) => message) : [];
    expect(messages).toEqual([expect.stringContaining('"lynx-2" is no client')]);
    expect(messages[0]).toContain('docker-1.13');
  });

  test.each(['docker-99', 'docker-113', 'containerd-16', 'docker-1.9;docker-1.13'])(
    'refuses %s, which no client can be',
    (id) => {
      const read = readSettings({ REGSHIFT_EVENTS_SECRET: secret, REGSHIFT_WARM: id });
      const messages = 'problems' in read ? read.problems.map(({ message }) => message) : [];
      expect(messages).toEqual([expect.stringContaining(`"${id}" is no client`)]);
    },
  );

  test('takes a version that is newer than the known ones', () => {
    expect(clientsOf({ REGSHIFT_WARM: 'docker-31.1, containerd-3, podman-6' })).toEqual([
      'docker/31.1',
      'containerd/3',
      'skopeo/1.9.3',
    ]);
  });

  test('has no effect without the secret, and says so', () => {
    expect(problemsOf({ REGSHIFT_WARM: 'docker-1.9' })).toEqual(['REGSHIFT_EVENTS_SECRET not set']);
  });
});
