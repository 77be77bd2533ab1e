import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { obtainEcrLogin } from '../../src/auth/clouds/ecr.ts';
import { ecrRegistryOf } from '../../src/auth/clouds/ecr-registry.ts';
import { nodePlatform } from '../../src/runtime/node/platform.ts';
import { verifySigv4 } from '../support/clouds/verify-sigv4.ts';
import { listen } from '../support/listen.ts';

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += piece;
  return text;
}

it('a role of EKS gets a login of ECR over sockets, with a signature that fits the bytes that arrive', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-role-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), 'pod-token\n');
  const keys = { AccessKeyId: 'AKIDEXAMPLE', SecretAccessKey: 'sec/ret+key', Token: 'session==' };
  const agent = createServer((request, response) => {
    const right = request.headers.authorization === 'pod-token';
    response.writeHead(right ? 200 : 401).end(JSON.stringify(right ? keys : {}));
  });
  const api = createServer(async (request, response) => {
    const body = await textOf(request);
    const headers = new Headers(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const signing = { secretAccessKey: keys.SecretAccessKey, region: 'eu-west-1', service: 'ecr' };
    const keyId = verifySigv4({ method: request.method ?? '', url, headers, body }, signing);
    const right = keyId === keys.AccessKeyId && headers.get('x-amz-security-token') === keys.Token;
    const authorizationData = [
      { authorizationToken: btoa('AWS:password'), expiresAt: Date.now() / 1000 + 43_200 },
    ];
    response
      .writeHead(right ? 200 : 400)
      .end(JSON.stringify(right ? { authorizationData } : { __type: 'No' }));
  });
  const [agentAt, apiAt] = [await listen(agent), await listen(api)];
  onTestFinished(() => Promise.all([agentAt.stop(), apiAt.stop()]).then(() => undefined));
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${agentAt.url}/v1/credentials`);
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', join(folder, 'token'));
  onTestFinished(() => void vi.unstubAllEnvs());
  const platform = nodePlatform(() => undefined);
  const upstream = new URL('https://123456789012.dkr.ecr.eu-west-1.amazonaws.com');
  const registry = ecrRegistryOf(upstream);
  if (registry === undefined) throw new Error('no registry');
  const { fetch, clock, wallClock, machine } = platform;
  const parts = { fetch, clock, wallClock, userAgent: 'regshift/test' };
  const { login, lifeMs } = await obtainEcrLogin({
    ...parts,
    registry,
    origin: upstream.origin,
    endpoint: new URL(apiAt.url),
    credentials: async () => (await machine.aws(parts, new URL('https://sts.test'))).login,
  });
  expect(login).toEqual({ kind: 'service', username: 'AWS', password: 'password', origin: upstream.origin });
  expect(lifeMs).toBeGreaterThan(43_000_000);
});

it('a file of a role that is missing is named by its variable', async () => {
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', '/nowhere/hidden');
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/regshift');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { fetch, clock, wallClock, machine } = nodePlatform(() => undefined);
  const parts = { fetch, clock, wallClock, userAgent: 'regshift/test' };
  await expect(machine.aws(parts, new URL('https://sts.test'))).rejects.toThrow(
    'The file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read (ENOENT).',
  );
});
