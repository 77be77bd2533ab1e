import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { readManifest } from '../../../converters/read.ts';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import { manifestRequestHeaders } from '../old-clients.ts';
import { type RawResponse, rawRequest } from '../raw-http.ts';
import type { Ask } from './hostile-upstream.ts';

/** A client's request, and the upstream request behind it that gets a wrong response. */
export interface Target {
  readonly path: string;
  readonly client: keyof typeof manifestRequestHeaders;
  readonly isMeant: (ask: Ask) => boolean;
  readonly wants: 'nothing' | 'token';
}

const samples = createSampleRegistry();

async function manifestOf(name: string) {
  const answer = await samples.fetch(`http://sample.test/v2/${name}/manifests/latest`);
  return (await answer.json()) as { config: { digest: string }; layers: { digest: string }[] };
}

const plain = await manifestOf('sample/oci');
const compressed = await manifestOf('sample/oci-zstd');
const manifest = '/v2/sample/oci/manifests/latest';
const of = (method: string, part: string) => (ask: Ask) => ask.method === method && ask.path.includes(part);

export const targets = {
  'the HEAD of a manifest': {
    path: manifest,
    client: 'Docker 1.13.1',
    wants: 'nothing',
    isMeant: of('HEAD', '/manifests/'),
  },
  'a manifest': {
    path: manifest,
    client: 'Docker 1.13.1',
    wants: 'nothing',
    isMeant: of('GET', '/manifests/'),
  },
  'a config': {
    path: manifest,
    client: 'Docker 1.9.1',
    wants: 'nothing',
    isMeant: of('GET', plain.config.digest),
  },
  'a blob': {
    path: `/v2/sample/oci/blobs/${plain.layers[0]?.digest}`,
    client: 'Docker 1.13.1',
    wants: 'nothing',
    isMeant: of('GET', '/blobs/'),
  },
  'a layer to be read': {
    path: '/v2/sample/oci-zstd/manifests/latest',
    client: 'Docker 1.9.1',
    wants: 'nothing',
    isMeant: of('GET', `${compressed.layers[1]?.digest}`),
  },
  'a list of tags': {
    path: '/v2/sample/oci/tags/list',
    client: 'Docker 20.10',
    wants: 'nothing',
    isMeant: of('GET', '/tags/'),
  },
  'a ping': { path: '/v2/', client: 'Docker 1.13.1', wants: 'nothing', isMeant: of('GET', '/v2/') },
  'a token': { path: manifest, client: 'Docker 1.13.1', wants: 'token', isMeant: of('GET', '/token') },
} satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;

/** The result of a request: like `200`, `502 UNKNOWN`, or `cut` for a response that broke off. */
export async function outcomeOf(answer: Promise<RawResponse>): Promise<string> {
  try {
    const given = await answer;
    const { status, body } = given;
    if (status < 400) return wholeness(given);
    const { errors } = JSON.parse(new TextDecoder().decode(body)) as { errors: { code: string }[] };
    return `${status} ${errors[0]?.code}`;
  } catch (error) {
    if (error instanceof Error && /before it was whole|ECONNRESET|hang up/.test(error.message)) return 'cut';
    throw error;
  }
}

function wholeness({ status, body, header }: RawResponse): string {
  const digest = header('Docker-Content-Digest');
  const type = header('Content-Type');
  // The digest of schema 1 is that of the bytes that its signature covers.
  const found = type === mediaTypes.schema1Signed ? readManifest(body, type).source.digest : digestOf(body);
  return digest === undefined || found === digest ? String(status) : `${status} with another digest`;
}

export function ask({ path, client }: Target, port: number, login: string | undefined, deadline = 10_000) {
  const own = manifestRequestHeaders[client].filter(
    ([name]) => path.includes('/manifests/') || name !== 'Accept',
  );
  const headers = login === undefined ? own : [...own, ['Authorization', login] as const];
  return rawRequest({ port, method: 'GET', path, headers, deadline });
}
