import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../../src/config/redis-address.ts';

const sentinel = {
  topology: 'sentinel',
  nodes: [
    { host: 'one.example', port: 26_379 },
    { host: 'two.example', port: 26_380 },
  ],
  tls: false,
  master: 'mymaster',
  database: 0,
  login: {},
  sentinelLogin: {},
};
const cluster = {
  topology: 'cluster',
  nodes: [
    { host: 'one.example', port: 6379 },
    { host: 'two.example', port: 7001 },
  ],
  tls: false,
  login: {},
};
const sentinels = 'one.example,two.example:26380';
const nodes = 'one.example,two.example:7001';

describe('the address of Sentinels', () => {
  it.each([
    `redis-sentinel://${sentinels}?sentinelMasterId=mymaster`,
    `redis-sentinel://${sentinels}/?sentinelMasterId=mymaster`,
    `redis-sentinel://${sentinels}/0#mymaster`,
    `redis-sentinel://${sentinels}/0?master=mymaster`,
    `redis-sentinel://${sentinels}?master_name=mymaster`,
    `redis+sentinel://${sentinels}/mymaster`,
    `redis+sentinel://${sentinels}/mymaster/0`,
    `REDIS-SENTINEL://${sentinels}/mymaster/`,
  ])('may be %s', (text) => {
    expect(parseRedisAddress(text)).toEqual(sentinel);
  });

  it('has a login for the master, another one for the Sentinels, a database and TLS', () => {
    const text = `rediss-sentinel://user:p%40%2F+s@${sentinels}/3?sentinelMasterId=my%20master&sentinelUsername=watch&sentinelPassword=a+b%26`;
    expect(parseRedisAddress(text)).toEqual({
      ...sentinel,
      tls: true,
      master: 'my master',
      database: 3,
      login: { username: 'user', password: 'p@/+s' },
      sentinelLogin: { username: 'watch', password: 'a+b&' },
    });
  });

  it.each([
    [':secret@', { password: 'secret' }],
    ['secret@', { password: 'secret' }],
    ['user:se:c@ret@', { username: 'user', password: 'se:c@ret' }],
  ])('may begin with the login %s', (login, expected) => {
    expect(parseRedisAddress(`redis-sentinel://${login}${sentinels}#mymaster`)).toEqual({
      ...sentinel,
      login: expected,
    });
  });

  it('may have IPv6 addresses', () => {
    expect(parseRedisAddress('redis-sentinel://[::1]:26380,[fd00::2]#mymaster')).toMatchObject({
      nodes: [
        { host: '::1', port: 26_380 },
        { host: 'fd00::2', port: 26_379 },
      ],
    });
  });
});

describe('the address of a cluster', () => {
  it.each([`redis-cluster://${nodes}`, `redis+cluster://${nodes}/`, `redis-cluster://${nodes}/0`])(
    'may be %s',
    (text) => {
      expect(parseRedisAddress(text)).toEqual(cluster);
    },
  );

  it('has a login for all nodes, and TLS', () => {
    expect(parseRedisAddress(`rediss-cluster://user:p%40ss@${nodes}`)).toEqual({
      ...cluster,
      tls: true,
      login: { username: 'user', password: 'p@ss' },
    });
  });
});

describe('an address that is wrong', () => {
  it.each([
    [`redis-sentinel://:hunter2@${sentinels}/0`, 'must name the master as the Sentinels do'],
    [`redis-sentinel://:hunter2@${sentinels}/?sentinelMasterId=`, 'must name the master as the Sentinels do'],
    [`redis-sentinel://:hunter2@${sentinels}/0?masterId=hunter2`, 'must have no query other than'],
    [`redis-cluster://:hunter2@${nodes}/3`, 'a cluster has only database 0'],
    [`redis-cluster://:hunter2@${nodes}?db=0`, 'a cluster has only database 0'],
    [`redis://:hunter2@${nodes}`, 'must have one host and port'],
    [`rediss://:hunter2@one.example:1,two.example:2/0`, 'must have one host and port'],
    ['redis://:hunter2@one.example?db=1', 'must be like'],
    ['redis-cluster://:hunter2@one.example:99999', 'must be like'],
    ['redis-sentinel://:hunter2@one.example/0/hunter2#mymaster', 'must be like'],
    ['redis-replicas://:hunter2@one.example', 'must be like'],
  ])('%s: the problem says what is right, and quotes nothing', (text, problem) => {
    const parsed = parseRedisAddress(text);
    expect(parsed).toEqual({ problem: expect.stringContaining(problem) });
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});
