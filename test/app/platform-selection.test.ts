import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Cache } from '../../src/cache/cache.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';

interface Entry {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

const samples = createSampleRegistry();

/** The stored digests of a sample by platform, such as `linux/arm/v6`. */
async function storedBy(sample: string): Promise<Map<string, string>> {
  const response = await samples.fetch(`http://sample.test/v2/${sample}/manifests/latest`);
  const { manifests } = (await response.json()) as { manifests: Entry[] };
  return new Map(
    manifests.map(({ digest, platform: { os, architecture, variant } }) => [
      [os, architecture, variant].filter(Boolean).join('/'),
      digest,
    ]),
  );
}

const docker19On = (os: string, arch: string) => ({
  'User-Agent': `docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.9.0 os/${os} arch/${arch}`,
});

async function sourceOf(app: TestApp, sample: string, headers: Record<string, string>) {
  const response = await app.get(`/v2/${sample}/manifests/latest`, headers);
  expect(response.status).toBe(200);
  return response.header('Regshift-Source-Digest');
}

describe('the image of an index, for a client that cannot select it', () => {
  it.each([
    ['sample/index', 'amd64', 'linux/amd64'],
    ['sample/index', 'arm64', 'linux/arm64/v8'],
    ['sample/list', '386', 'linux/386'],
    // v6 runs on v6 and v7, and arch/arm names neither.
    ['sample/index-arm', 'arm', 'linux/arm/v6'],
    ['sample/index-arm', 'arm64', 'linux/arm64/v8'],
    ['sample/index-arm', 'amd64', 'linux/amd64'],
  ])('%s for Docker 1.9.1 on %s is the image of %s', async (sample, arch, platform) => {
    const source = await sourceOf(testApp(), sample, docker19On('linux', arch));
    expect(source).toBe((await storedBy(sample)).get(platform));
  });

  it.each([
    ['linux/arm/v5', 'linux/arm/v5'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/arm/v7', 'linux/arm/v7'],
    ['linux/arm64', 'linux/arm64/v8'],
    ['linux/amd64', 'linux/amd64'],
  ])('REGSHIFT_PLATFORM=%s is for clients that name no platform', async (setting, platform) => {
    const source = await sourceOf(testApp({ REGSHIFT_PLATFORM: setting }), 'sample/index-arm', {});
    expect(source).toBe((await storedBy('sample/index-arm')).get(platform));
  });

  it('is the image of linux/amd64 without a platform in request and settings', async () => {
    expect(await sourceOf(testApp(), 'sample/index-arm', {})).toBe(
      (await storedBy('sample/index-arm')).get('linux/amd64'),
    );
  });

  it('follows the User-Agent, whatever REGSHIFT_PLATFORM says', async () => {
    const app = testApp({ REGSHIFT_PLATFORM: 'linux/arm/v7' });
    expect(await sourceOf(app, 'sample/index-arm', docker19On('linux', 'amd64'))).toBe(
      (await storedBy('sample/index-arm')).get('linux/amd64'),
    );
  });

  it('has the variant of REGSHIFT_PLATFORM when the User-Agent names the rest', async () => {
    const app = testApp({ REGSHIFT_PLATFORM: 'linux/arm/v7' });
    expect(await sourceOf(app, 'sample/index-arm', docker19On('linux', 'arm'))).toBe(
      (await storedBy('sample/index-arm')).get('linux/arm/v7'),
    );
  });

  it('does not follow the program that UpstreamClient(…) quotes', async () => {
    const quoting = { 'User-Agent': 'docker/1.9.1 go/go1.4.2 UpstreamClient(x/1 os/linux arch/arm64)' };
    expect(await sourceOf(testApp(), 'sample/index', quoting)).toBe(
      (await storedBy('sample/index')).get('linux/amd64'),
    );
  });

  it('is named in the response', async () => {
    const response = await testApp().get('/v2/sample/list/manifests/latest', docker19On('linux', '386'));
    expect(response.header('Regshift-Conversion')).toBe('list -> schema1; platform=linux/386');
    expect(JSON.parse(response.text())).toMatchObject({ architecture: '386' });
  });
});

describe('a platform that an index does not have', () => {
  it.each([
    ['sample/index', docker19On('linux', 'arm'), 'linux/arm', ['linux/amd64', 'linux/arm64/v8']],
    ['sample/list', docker19On('linux', 'ppc64le'), 'linux/ppc64le', ['linux/amd64', 'linux/386']],
    ['sample/index', docker19On('windows', 'amd64'), 'windows/amd64', ['linux/amd64']],
    ['sample/fat-generic', docker19On('linux', 'arm'), 'linux/arm', ['linux/amd64', 'linux/arm64']],
    ['sample/fat-generic-table', docker19On('linux', 'arm'), 'linux/arm', ['linux/amd64', 'linux/arm64']],
  ])('%s: 404 UNSUPPORTED, with the available platforms', async (sample, headers, wanted, there) => {
    const response = await testApp().get(`/v2/${sample}/manifests/latest`, headers);
    expect(response.status).toBe(404);
    expect(response.error().code).toBe('UNSUPPORTED');
    for (const platform of [wanted, ...there]) expect(response.error().message).toContain(platform);
    expect(response.error().message).not.toContain('unknown');
  });
});

describe('a platform that does not exist', () => {
  it('is none: the client gets the image for REGSHIFT_PLATFORM, and no conversion of its own', async () => {
    const entries = new Set<string>();
    const cache: Cache = {
      get: async () => undefined,
      set: async (key) => void entries.add(key),
    };
    const app = testApp({}, undefined, { tiers: [{ name: 'shared', cache, accepts: () => true }] });
    const usual = await sourceOf(app, 'sample/index', {});
    await app.settled();
    const before = entries.size;
    for (let index = 0; index < 50; index += 1) {
      const made = docker19On(index % 2 ? 'linux' : `os${index}`, `arch${index}`);
      expect(await sourceOf(app, 'sample/index', made)).toBe(usual);
    }
    expect(entries.size).toBe(before);
    expect(await sourceOf(app, 'sample/index', docker19On('unknown', 'unknown'))).toBe(usual);
  });
});

describe('attestations', () => {
  it('are omitted from a list for Docker', async () => {
    const headers = manifestRequestHeaders['Docker 1.13.1'];
    const response = await testApp().get('/v2/sample/index/manifests/latest', headers);
    const { manifests } = JSON.parse(response.text()) as { manifests: Entry[] };
    expect(manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`)).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
    expect(manifests.every(({ mediaType }) => mediaType === mediaTypes.schema2)).toBe(true);
    expect(response.text()).not.toContain('attestation');
  });

  it('are never selected', async () => {
    const app = testApp({ REGSHIFT_PLATFORM: 'unknown/unknown' });
    const path = '/v2/sample/index/manifests/latest';
    expect((await app.get(path, { 'User-Agent': 'docker/1.9.1' })).error().code).toBe('UNSUPPORTED');
  });

  it('stay in an index that is sent as it is stored', async () => {
    const headers = manifestRequestHeaders['Docker 20.10'];
    const response = await testApp().get('/v2/sample/index/manifests/latest', headers);
    expect(response.text()).toContain('attestation-manifest');
  });
});
