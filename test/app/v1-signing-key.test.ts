import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../../src/cache/cache.ts';
import type { Tier } from '../../src/cache/tiered.ts';
import type { RuntimePlatform } from '../../src/compose/platform.ts';
import { testApp } from '../support/app.ts';
import { testMemory } from '../support/memory.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';

const withoutKey = { REGSHIFT_SIGNING_KEY: '' };
const images = '/v1/repositories/sample/oci/images';

describe('without REGSHIFT_SIGNING_KEY', () => {
  it('one process serves API v1 with a generated key', async () => {
    const app = testApp(withoutKey);
    const { ids } = await pullV1({ daemon: v1Daemons['Docker 1.9.1'], http: app.send }, 'sample/oci');
    expect(ids).toHaveLength(2);
    expect(app.logged.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  const tier: Tier = { name: 'redis', cache: createMemoryCache(testMemory()), accepts: () => true };
  it.each<[which: string, level: string, platform: Partial<RuntimePlatform>]>([
    ['one process alone', 'info', {}],
    ['a process with a shared cache', 'warn', { tiers: [tier] }],
    ['one of many processes', 'warn', { manyProcesses: true }],
  ])('%s logs it at %s, with the step of its runtime', async (_, level, platform) => {
    const app = testApp(withoutKey, undefined, platform);
    const headers = { Accept: 'application/vnd.docker.distribution.manifest.v1+prettyjws' };
    expect((await app.get('/v2/sample/oci/manifests/latest', headers)).status).toBe(200);
    const line = app.logged.find(({ message }) => message.startsWith('REGSHIFT_SIGNING_KEY is not set'));
    expect(line).toMatchObject({
      level,
      facts: { remedy: 'for a key that stays, run npx regshift keygen' },
    });
  });

  it('another process does not accept its context', async () => {
    const endpoint = (await testApp(withoutKey).get(images)).header('X-Docker-Endpoints') ?? '';
    const path = `${endpoint.slice(endpoint.indexOf('/'))}/v1/repositories/sample/oci/tags`;
    expect((await testApp(withoutKey).get(path)).status).toBe(401);
  });

  describe('on Workers, where each request may reach another process', () => {
    const app = testApp(withoutKey, undefined, { manyProcesses: true });

    it('a pull is refused, with an error that Docker shows and that names the setting', async () => {
      const response = await app.get(images, { 'User-Agent': v1Daemons['Docker 1.7.1'].userAgent });
      expect([response.status, JSON.parse(response.text())]).toEqual([
        503,
        { error: expect.stringMatching(/^REGSHIFT_SIGNING_KEY is not set/) },
      ]);
    });

    it.each(['/v1ctx/x.y.z/v1/repositories/sample/oci/tags', '/v1ctx/x/v1/_ping'])(
      '%s is refused too',
      async (path) => {
        expect((await app.get(path)).status).toBe(503);
      },
    );

    it.each(['/v1/_ping', '/v1/search?q=x'])('%s needs no key', async (path) => {
      expect((await app.get(path)).status).toBe(200);
    });

    it('API v2 needs no key', async () => {
      expect((await app.get('/v2/sample/oci/manifests/latest')).status).toBe(200);
    });
  });

  it('Workers with a key serve API v1', async () => {
    const http = testApp({}, undefined, { manyProcesses: true }).send;
    const { ids } = await pullV1({ daemon: v1Daemons['Docker 1.3.3'], http }, 'sample/oci');
    expect(ids).toHaveLength(2);
  });
});
