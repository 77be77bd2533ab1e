import { describe, expect, it } from 'vitest';
import { differences, fleetFingerprint } from '../../../src/config/fleet-fingerprint.ts';
import { formatProblems } from '../../../src/config/problem.ts';
import { readSettings } from '../../../src/config/settings.ts';
import { testSigningKey } from '../../support/signing-key.ts';

const keyed = { REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey) };

describe('REGSHIFT_REDIS_URL', () => {
  it.each([
    'redis://127.0.0.1',
    'redis://redis.example:6380/3',
    'rediss://user:p%40ss@redis.example',
    'redis://:p%40ss@[::1]:6379/',
  ])('may be %s', (url) => {
    const read = readSettings({ ...keyed, REGSHIFT_REDIS_URL: url });
    expect('settings' in read && read.settings.REGSHIFT_REDIS_URL).toEqual({
      topology: 'single',
      url: new URL(url),
    });
  });

  it('may be a path to a file that holds it, as secrets are mounted', () => {
    const read = readSettings({ ...keyed, REGSHIFT_REDIS_URL: '/run/secrets/redis' }, (path) =>
      path === '/run/secrets/redis' ? 'rediss://:of-a-file@redis.example\n' : '',
    );
    expect('settings' in read && read.settings.REGSHIFT_REDIS_URL).toEqual({
      topology: 'single',
      url: new URL('rediss://:of-a-file@redis.example'),
    });
  });

  it.each([
    'http://:hunter2@redis.example',
    'redis://:hunter2@redis.example/zero',
    'redis://:hunter2@redis.example?db=1',
    'redis://:hunter2%zz@redis.example',
    'redis://:hunter2@',
    'redis.example:hunter2',
    'redis-sentinel://:hunter2@one.example,/0?sentinelMasterId=mymaster',
    'redis-sentinel://:hunter2@one.example:port/0?sentinelMasterId=mymaster',
    'redis-sentinel://:hunter2@one.example/0/mymaster',
    'redis-cluster://:hunter2@',
    'redis-cluster://:hunter2%zz@one.example',
  ])('is refused as %s, and the message does not quote it', (url) => {
    const read = readSettings({ ...keyed, REGSHIFT_REDIS_URL: url }, () => {
      throw new Error('hunter2');
    });
    const message = 'problems' in read ? formatProblems(read.problems) : '';
    expect(message).toMatch(/^REGSHIFT_REDIS_URL must be [^\n]*$/);
    expect(message).not.toContain('hunter2');
  });

  it('needs a signing key, for replicas sign with one', () => {
    const read = readSettings({ REGSHIFT_REDIS_URL: 'redis://127.0.0.1' });
    expect('problems' in read && read.problems.map(({ variable }) => variable)).toEqual([
      'REGSHIFT_SIGNING_KEY',
    ]);
    expect('problems' in read && formatProblems(read.problems)).toContain('because REGSHIFT_REDIS_URL is');
  });
});

describe('the difference of two replicas', () => {
  it('is reported with both values', () => {
    expect(differences({ a: '1', b: '2' }, { a: '1', b: '3' })).toEqual({ b: { here: '2', there: '3' } });
  });

  it('may be a setting that only one of them has, as in an upgrade', () => {
    expect(differences({ a: '1' }, { b: '2' })).toEqual({
      a: { here: '1', there: '(not there)' },
      b: { here: '(not there)', there: '2' },
    });
  });
});

describe('the fingerprint of a replica', () => {
  const fingerprint = (variables: Record<string, string>) => {
    const read = readSettings({ ...keyed, ...variables });
    if (!('settings' in read)) throw new Error(formatProblems(read.problems));
    return fleetFingerprint(read.settings, 'key');
  };

  it.each([
    ['REGSHIFT_INDEX', 'one', 'keep'],
    ['REGSHIFT_ATTESTATIONS', 'drop', 'keep'],
    ['REGSHIFT_LAYERS', 'plain', 'auto'],
  ])('has %s where it is %s, and equals that of an earlier version where it is %s', (name, value, usual) => {
    expect(differences(fingerprint({ [name]: value }), fingerprint({}))).toEqual({
      [name]: { here: value, there: '(not there)' },
    });
    expect(fingerprint({ [name]: usual })).not.toHaveProperty(name);
  });

  it.each(['REGSHIFT_INDEX', 'REGSHIFT_ATTESTATIONS', 'REGSHIFT_LAYERS'])('%s has known values', (name) => {
    const read = readSettings({ ...keyed, [name]: 'none' });
    expect('problems' in read && formatProblems(read.problems)).toMatch(/must be (auto|keep) or \w+/);
  });

  it.each(['REGSHIFT_PUSH_FORMAT', 'REGSHIFT_PUSH_LOSSES'])(
    '%s has known values, which may differ between replicas',
    (name) => {
      const read = readSettings({ ...keyed, [name]: 'none' });
      expect('problems' in read && formatProblems(read.problems)).toMatch(
        /must be (auto, asis, schema2 or oci|allow or refuse)/,
      );
      const value = name === 'REGSHIFT_PUSH_FORMAT' ? 'oci' : 'refuse';
      expect(differences(fingerprint({ [name]: value }), fingerprint({}))).toEqual({});
    },
  );
});
