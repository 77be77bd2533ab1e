import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';
import { simulator, simulators } from '../support/simulators/all.ts';
import { parseGoChallenge } from '../support/simulators/go-challenge.ts';
import { expectSample } from '../support/upstreams/expectations.ts';

/** The requests of each client for an index of two images of two layers. */
const sequences: Readonly<Record<string, readonly string[]>> = {
  'Docker 1.6.2': ['GET ping', 'GET ping', 'GET tag', 'GET blob', 'GET blob'],
  'Docker 1.7.1': ['GET ping', 'GET ping', 'GET tag', 'GET blob', 'GET blob'],
  'Docker 1.8.3': ['GET ping', 'GET tag', 'HEAD blob', 'GET blob', 'HEAD blob', 'GET blob'],
  'Docker 1.9.1': ['GET ping', 'GET tag', 'HEAD blob', 'GET blob', 'HEAD blob', 'GET blob'],
  'Docker 1.10.3': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'Docker 17.05': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'Docker 18.09': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'Docker 19.03.3': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'Docker 20.10': ['GET ping', 'HEAD tag', 'GET digest', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'skopeo 1.9': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'podman 3.0': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'podman 4.3': ['GET ping', 'GET tag', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
  'containerd 1.6': ['HEAD tag', 'GET digest', 'GET digest', 'GET blob', 'GET blob', 'GET blob'],
};

describe('the simulated clients', () => {
  let samples: SampleServer;
  let proxy: RunningProxy;
  beforeAll(async () => {
    samples = await startSampleServer();
    proxy = await startProxy(samples.url);
  });
  afterAll(async () => {
    await proxy?.stop();
    await samples?.stop();
  });

  it('are all in the table', () => {
    expect(Object.keys(sequences)).toEqual(simulators.map(({ name }) => name));
  });

  it.each(Object.entries(sequences))('%s sends the requests that were observed', async (name, expected) => {
    const target = { port: proxy.port, repository: 'sample/index', reference: 'latest' };
    const { requests } = await simulator(name).pull(target);
    expect(requests.map(inOneWord)).toEqual(expected);
  });

  it.each([
    ['Docker 1.6.2', 6],
    ['Docker 1.9.1', 6],
    ['Docker 17.05', 2],
  ])(
    '%s fetches %i layers of a schema 1 image with two layers and four empty entries',
    async (name, layers) => {
      const pinned = await startProxy(samples.url, { REGSHIFT_FORMAT: 'schema1' });
      try {
        const repository = 'sample/schema2-empty-layers';
        const pulled = await simulator(name).pull({ port: pinned.port, repository, reference: 'latest' });
        expectSample(pulled, repository);
        expect(pulled.requests.map(inOneWord).filter((each) => each === 'GET blob')).toHaveLength(layers);
      } finally {
        await pinned.stop();
      }
    },
  );
});

function inOneWord(request: string): string {
  return request
    .replace(/\/v2\/$/, 'ping')
    .replace(/\/v2\/.*\/blobs\/.*$/, 'blob')
    .replace(/\/v2\/.*\/manifests\/sha256:.*$/, 'digest')
    .replace(/\/v2\/.*\/manifests\/.*$/, 'tag');
}

describe('challenges, as Go programs parse them', () => {
  it.each([
    ['Basic realm="a"', 'basic', { realm: 'a' }],
    ['Bearer realm="https://a/t",service="b c",scope="repository:a/b:pull"', 'bearer', { service: 'b c' }],
    ['Bearer realm=https://a/t, service="b"', 'bearer', { realm: 'https://a/t', service: 'b' }],
    ['Bearer realm="a\\"b"', 'bearer', { realm: 'a"b' }],
    // Go reads the first of two challenges in one header.
    ['Basic realm="a", Bearer realm="b",service="c"', 'basic', { realm: 'a' }],
    ['Negotiate', 'negotiate', {}],
  ])('%s', (header, scheme, parameters) => {
    const parsed = parseGoChallenge(header);
    expect(parsed?.scheme).toBe(scheme);
    expect(Object.fromEntries(parsed?.parameters ?? [])).toMatchObject(parameters);
    if (header.startsWith('Basic')) expect(parsed?.parameters.size).toBe(1);
  });

  it('none', () => {
    expect(parseGoChallenge(undefined)).toBeUndefined();
    expect(parseGoChallenge('')).toBeUndefined();
  });
});
