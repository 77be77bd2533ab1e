import { expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const alice = `Basic ${btoa('alice:secret')}`;
const docker = manifestRequestHeaders['Docker 1.13.1'];

/** Everything is alice's. A refusal of a HEAD has no words. */
const closed: Script = (request) => {
  if (request.headers.get('authorization') === alice) return undefined;
  const challenge = { 'WWW-Authenticate': basicChallenge };
  if (request.method === 'HEAD') return new Response(null, { status: 401, headers: challenge });
  return specError(401, 'UNAUTHORIZED', challenge);
};

it.each([
  ['no login', undefined],
  ['another login', `Basic ${btoa('bob:secret')}`],
])('a refusal to %s does not tell what regshift knows of a repository', async (_, login) => {
  const app = testApp({}, scriptedUpstream(closed).fetch);
  const repository = '/v2/sample/oci-zstd';
  const pulled = await app.get(`${repository}/manifests/latest`, [...docker, ['Authorization', alice]]);
  const made = pulled.header('Docker-Content-Digest') ?? '';
  const stored = pulled.header('Regshift-Source-Digest') ?? '';
  expect(new Set([made, stored]).size).toBe(2);
  const { config, layers } = JSON.parse(pulled.text()) as Record<'config', { digest: string }> & {
    layers: { digest: string }[];
  };
  const unknown = digestOf(new Uint8Array(1));
  const refusalOf = async (path: string, digest: string) => {
    const as = login ? [['Authorization', login] as const] : [];
    const refusal = await app.get(`${repository}/${path}/${digest}`, [...docker, ...as]);
    expect(refusal.status).toBe(401);
    return refusal.text().replaceAll(digest, 'it');
  };
  for (const digest of [made, stored])
    expect(await refusalOf('manifests', digest)).toBe(await refusalOf('manifests', unknown));
  for (const { digest } of [config, ...layers])
    expect(await refusalOf('blobs', digest)).toBe(await refusalOf('blobs', unknown));
});
