import { describe, expect, it } from 'vitest';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import { loginFor, parseDockerConfig } from '../../../src/auth/docker-config.ts';

const entry = (login: string) => ({ auth: btoa(login) });
const service = (username: string, password: string) => ({
  credential: { kind: 'service', username, password },
});

function find(config: unknown, upstream: string, repository?: RepositoryName) {
  const parsed = parseDockerConfig(JSON.stringify(config));
  if (parsed === undefined) throw new Error('not a configuration');
  return loginFor(parsed, new URL(upstream), repository);
}

describe('the login of a Docker configuration', () => {
  it.each([
    ['registry.test', 'https://registry.test'],
    ['registry.test', 'http://registry.test/below/a/path'],
    ['registry.test:5000', 'https://registry.test:5000'],
    ['registry.test:443', 'https://registry.test'],
    ['Registry.Test', 'https://registry.test'],
    ['https://registry.test', 'https://registry.test'],
    ['https://registry.test/v1/', 'https://registry.test'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['https://index.docker.io/v1/', 'https://registry-1.docker.io'],
    ['docker.io', 'https://registry-1.docker.io'],
    ['https://index.docker.io/v1/', 'https://index.docker.io'],
  ])('under %s is for %s', (key, upstream) => {
    expect(find({ auths: { [key]: entry('user:pass') } }, upstream)).toEqual(service('user', 'pass'));
  });

  it.each([
    ['registry.test', 'https://evil-registry.test'],
    ['registry.test', 'https://registry.test.evil'],
    ['registry.test', 'https://sub.registry.test'],
    ['sub.registry.test', 'https://registry.test'],
    ['registry.test', 'https://registry.test:5000'],
    ['registry.test:5000', 'https://registry.test'],
    ['registry.test/team', 'https://registry.test'],
    ['*.test', 'https://registry.test'],
    ['user@registry.test', 'https://registry.test'],
    ['https://index.docker.io/v1/', 'https://registry.test'],
    ['https://index.docker.io/v1/', 'https://docker.io.evil.test'],
  ])('under %s is not for %s', (key, upstream) => {
    expect(find({ auths: { [key]: entry('user:pass') } }, upstream)).toEqual({
      problem: expect.stringMatching(/must have an entry/),
    });
  });

  it.each([
    ['team/app', 'registry.test', 'app'],
    ['team/other', 'registry.test', 'team'],
    ['team', 'registry.test', 'team'],
    ['teams/app', 'registry.test', 'all'],
    ['library/app', 'registry-1.docker.io', 'library'],
  ])('for %s at %s is that of the smallest part with an entry: %s', (repository, host, user) => {
    const auths = {
      'registry.test': entry('all:pass'),
      'registry.test/team': entry('team:pass'),
      'registry.test/team/app': entry('app:pass'),
      'docker.io/library': entry('library:pass'),
      'docker.io': entry('hub:pass'),
    };
    const found = find({ auths }, `https://${host}`, parseRepositoryName(repository));
    expect(found).toEqual(service(user, 'pass'));
  });

  it('may have colons, letters beyond ASCII and zeros at the end of its password', () => {
    const bytes = new TextEncoder().encode('üser:pä:ss\0\0');
    const auth = btoa(String.fromCharCode(...bytes));
    expect(find({ auths: { 'a.test': { auth } } }, 'https://a.test')).toEqual(service('üser', 'pä:ss'));
  });

  it.each([
    { username: 'user', password: 'pa:ss' },
    { username: 'user', password: 'pa:ss', auth: '', email: 'user@registry.test' },
    { username: 'user', password: 'pa:ss', auth: null, identitytoken: null },
    { username: 'other', password: 'old', ...entry('user:pa:ss') },
  ])('may be %j', (value) => {
    const config = { auths: { 'a.test': value, 'b.test': null }, credHelpers: null, credsStore: null };
    expect(find(config, 'https://a.test')).toEqual(service('user', 'pa:ss'));
  });

  it('of an entry with a user name and a password needs no store', () => {
    const auths = { 'a.test': { username: 'user', password: 'pass' } };
    expect(find({ auths, credsStore: 'desktop' }, 'https://a.test')).toEqual(service('user', 'pass'));
  });

  it('is the identity token where there is one', () => {
    const azure = { ...entry('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh' };
    expect(find({ auths: { 'a.test': azure } }, 'https://a.test')).toEqual({
      credential: { kind: 'identity', token: 'refresh' },
    });
  });

  it('is the entry of its host among many, whatever helpers other hosts have', () => {
    const auths = { 'b.test': entry('b:b'), 'a.test': entry('a:a') };
    const config = { auths, credHelpers: { 'b.test': 'ecr-login' }, HttpHeaders: {}, psFormat: 'x' };
    expect(find(config, 'https://a.test')).toEqual(service('a', 'a'));
    expect(find({ ...config, credsStore: 'desktop' }, 'https://a.test')).toEqual(service('a', 'a'));
  });

  it.each([
    {},
    { auth: '' },
    { auth: '!' },
    { username: 'user' },
    { password: 'pass' },
    { username: 'user', password: 'pass', auth: '!' },
    entry('user'),
    entry('user:'),
    entry(':pass'),
  ])('is not %j', (value) => {
    expect(find({ auths: { 'a.test': value } }, 'https://a.test')).toEqual({
      problem: expect.stringMatching(/must have "auth"/),
    });
  });

  it.each([
    [
      { credHelpers: { 'registry.test:5000': 'ecr-login' } },
      'https://registry.test:5000',
      'ecr-login',
      'registry.test:5000',
    ],
    [
      { credHelpers: { 'https://a.test': 'x' }, auths: { 'a.test': entry('a:a') } },
      'https://a.test',
      'x',
      'https://a.test',
    ],
    [{ credsStore: 'pass' }, 'https://a.test', 'pass', 'a.test'],
    [
      { credsStore: 'pass', auths: { 'https://a.test/v1/': {} } },
      'https://a.test',
      'pass',
      'https://a.test/v1/',
    ],
    [{ credsStore: 'pass' }, 'https://registry-1.docker.io', 'pass', 'https://index.docker.io/v1/'],
    [{ credsStore: 'pass', credHelpers: { 'a.test': 'x' } }, 'https://a.test', 'x', 'a.test'],
  ])('of %j for %s comes from docker-credential-%s under %s', (config, upstream, name, server) => {
    expect(find(config, upstream)).toEqual({ helper: { program: `docker-credential-${name}`, server } });
  });

  it.each(['', '../x', '/bin/x', 'a b', 'x;y', '-x', '$(x)', 'x\n', 'é', 'x'.repeat(101)])(
    'does not come from a program named %j',
    (name) => {
      expect(find({ credHelpers: { 'a.test': name } }, 'https://a.test')).toEqual({
        problem: expect.stringMatching(/must name in "credHelpers"/),
      });
    },
  );

  it.each(['', '[]', 'null', '{"auths":[1]}', '{"auths":{"a":"b"}}', '{"auths"'])('is not in %j', (text) => {
    expect(parseDockerConfig(text)).toBeUndefined();
  });
});
