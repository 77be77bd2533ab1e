import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';
import { simulators } from '../support/simulators/all.ts';
import {
  type Distortion,
  longerBy,
  resigned,
  startDistorted,
  withText,
} from '../support/simulators/distortion.ts';
import { withHeaders } from '../support/upstreams/behind.ts';
import { expectSample } from '../support/upstreams/expectations.ts';

const { dockerConfig, dockerList, ociConfig, schema2 } = mediaTypes;

interface Refusal {
  readonly what: string;
  readonly distort: Distortion;
  readonly sample?: string;
  /** The error messages of the clients that notice; all others pull without an error. */
  readonly noticed: Readonly<Record<string, string>>;
}

const early = (message: string) =>
  Object.fromEntries(['1.6.2', '1.7.1', '1.8.3', '1.9.1'].map((version) => [`Docker ${version}`, message]));
const everyDocker = (message: string) =>
  Object.fromEntries(
    simulators.map(({ name }) => [name, message]).filter(([name]) => name?.startsWith('Docker')),
  );
const everyone = (message: string) => Object.fromEntries(simulators.map(({ name }) => [name, message]));

const refusals: readonly Refusal[] = [
  {
    what: 'a ping without the version of the API',
    distort: (original) =>
      original.kind === 'ping'
        ? withHeaders(original, { 'Docker-Distribution-Api-Version': undefined })
        : undefined,
    noticed: { ...everyone('not a v2 registry'), 'containerd 1.6': '' },
  },
  {
    what: 'a layer or config with wrong bytes',
    distort: (original) =>
      original.kind === 'blobs' && original.method === 'GET'
        ? {
            ...original,
            body: (original.body as Uint8Array).map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
          }
        : undefined,
    noticed: everyone('verification failed'),
  },
  {
    what: 'a HEAD of a layer with a wrong length',
    distort: (original) =>
      original.kind === 'blobs' && original.method === 'HEAD' ? longerBy(original, 1) : undefined,
    noticed: { 'Docker 1.8.3': 'bytes, not', 'Docker 1.9.1': 'bytes, not' },
  },
  {
    what: 'a layer in chunks',
    distort: (original) =>
      original.kind === 'blobs' && original.method === 'GET'
        ? withHeaders(original, { 'Content-Length': undefined })
        : undefined,
    noticed: { 'Docker 1.6.2': 'no Content-Length', 'Docker 1.7.1': 'no Content-Length' },
  },
  {
    what: 'schema 1 with one word changed',
    distort: (original) =>
      original.kind === 'manifests'
        ? withText(original, original.text.replace('"architecture": "amd64"', '"architecture": "amd65"'))
        : undefined,
    noticed: early('the signature does not hold'),
  },
  {
    what: 'schema 1 with wrong parents',
    distort: async (original) =>
      original.kind === 'manifests' && original.text.includes('"signatures"')
        ? resigned(original, ([top]) => top && Object.assign(top, { parent: '0'.repeat(64) }))
        : original,
    noticed: early('the parent of'),
  },
  {
    what: 'schema 1 with an invalid id',
    distort: async (original) =>
      original.kind === 'manifests' && original.text.includes('"signatures"')
        ? resigned(original, ([top]) => top && Object.assign(top, { id: 'latest' }))
        : original,
    noticed: early('is invalid'),
  },
  {
    what: 'schema 1 without one entry of history',
    distort: async (original) =>
      original.kind === 'manifests' && original.text.includes('"signatures"')
        ? resigned(original, (entries) => entries.pop())
        : original,
    noticed: early('length of history'),
  },
  {
    what: 'schema 1 with a wrong digest in its header',
    distort: (original) =>
      original.kind === 'manifests' && original.text.includes('"signatures"')
        ? withHeaders(original, { 'Docker-Content-Digest': `sha256:${'0'.repeat(64)}` })
        : undefined,
    noticed: early('the registry says'),
  },
  {
    what: 'schema 2 with the Content-Type application/json',
    distort: (original) =>
      original.kind === 'manifests' && original.text.includes(schema2)
        ? withHeaders(original, { 'Content-Type': 'application/json' })
        : undefined,
    noticed: {
      ...everyDocker('missing signature key'),
      ...early(''),
      'skopeo 1.9': 'unsupported manifest type',
      'podman 3.0': 'unsupported manifest type',
      'podman 4.3': 'unsupported manifest type',
    },
  },
  {
    what: 'schema 2 without its mediaType',
    distort: (original) =>
      original.kind === 'manifests'
        ? withText(original, original.text.replace(/"mediaType":\s*"[^"]*manifest\.v2\+json",\s*/, ''))
        : undefined,
    noticed: {
      'Docker 19.03.3': 'mediaType in manifest should be',
      'Docker 20.10': 'manifest verification failed',
      'containerd 1.6': 'bytes, not',
    },
  },
  {
    what: 'schema 2 with a config of the OCI type',
    distort: (original) =>
      original.kind === 'manifests'
        ? withText(original, original.text.replace(dockerConfig, ociConfig))
        : undefined,
    noticed: {
      'Docker 17.05': 'target is unknown',
      'Docker 20.10': 'manifest verification failed',
      'containerd 1.6': 'bytes, not',
    },
  },
  {
    what: 'schema 2 with wrong sizes',
    distort: (original) =>
      original.kind === 'manifests'
        ? withText(original, original.text.replace(/"size":\s*\d+/g, '"size": 1'))
        : undefined,
    noticed: {
      'Docker 20.10': 'manifest verification failed',
      'skopeo 1.9': ', not 1',
      'podman 3.0': ', not 1',
      'podman 4.3': ', not 1',
      'containerd 1.6': 'bytes, not',
    },
  },
  {
    what: 'a HEAD of a tag without a digest',
    distort: (original) =>
      original.kind === 'manifests' && original.method === 'HEAD'
        ? withHeaders(original, { 'Docker-Content-Digest': undefined })
        : undefined,
    noticed: { 'Docker 20.10': 'HEAD told no digest', 'containerd 1.6': '404' },
  },
  {
    what: 'a HEAD of a tag with a wrong length',
    distort: (original) =>
      original.kind === 'manifests' && original.method === 'HEAD' ? longerBy(original, 1) : undefined,
    noticed: { 'containerd 1.6': 'bytes, not' },
  },
  {
    what: 'a list with images of other platforms',
    sample: 'sample/list',
    distort: (original) =>
      original.kind === 'manifests' && original.text.includes(dockerList)
        ? withText(original, original.text.replaceAll('amd64', 'ppc64'))
        : undefined,
    noticed: {
      ...everyDockerFrom110('no matching manifest'),
      'Docker 20.10': 'manifest verification failed',
      'skopeo 1.9': 'no matching manifest',
      'podman 3.0': 'no matching manifest',
      'podman 4.3': 'no matching manifest',
      'containerd 1.6': 'unexpected commit digest',
    },
  },
];

function everyDockerFrom110(message: string): Record<string, string> {
  const early110 = ['Docker 1.10.3', 'Docker 17.05', 'Docker 18.09', 'Docker 19.03.3'];
  return Object.fromEntries(early110.map((name) => [name, message]));
}

describe('a simulated client refuses what the real one refused', () => {
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

  describe.each(refusals)('given $what', ({ distort, noticed, sample = 'sample/schema2' }) => {
    it.each(simulators)('$name', async ({ name, pull }) => {
      const distorted = await startDistorted(`http://127.0.0.1:${proxy.port}`, distort);
      try {
        const port = Number(new URL(distorted.url).port);
        const pulling = pull({ port, repository: sample, reference: 'latest' });
        if (noticed[name]) await expect(pulling).rejects.toThrow(noticed[name]);
        else expectSample(await pulling, sample);
      } finally {
        await distorted.stop();
      }
    });
  });
});
