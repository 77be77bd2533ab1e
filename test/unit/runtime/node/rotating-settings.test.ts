import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { formatProblems } from '../../../../src/config/problem.ts';
import { nodePlatform } from '../../../../src/runtime/node/platform.ts';
import {
  createRotatingSettings,
  createSettingsFiles,
} from '../../../../src/runtime/node/rotating-settings.ts';
import { serve } from '../../../../src/runtime/node/serve.ts';
import { openStore } from '../../../../src/runtime/node/store/open-store.ts';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { checkedSettings } from '../../../support/checked-settings.ts';
import { listen } from '../../../support/listen.ts';
import { testMemory } from '../../../support/memory.ts';
import { rawRequest } from '../../../support/raw-http.ts';
import { secretFolder } from '../../../support/secret-folder.ts';

const base = {
  REGSHIFT_UPSTREAM: 'https://registry.test',
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: 'robot',
  REGSHIFT_CLIENT_AUTH: 'none',
};

async function watched(variables: Record<string, string>) {
  const files = await createSettingsFiles(variables);
  const read = files.read();
  if ('problems' in read) throw new Error(formatProblems(read.problems));
  const time = { now: 0 };
  const logged: (readonly [string, string, unknown])[] = [];
  const rotating = createRotatingSettings({
    files,
    settings: read.settings,
    log: (level, message, facts) => logged.push([level, message, facts]),
    clock: () => time.now,
  });
  const password = async (atOnce = false) =>
    (await rotating.newest('all', atOnce))?.REGSHIFT_UPSTREAM_PASSWORD;
  const later = () => {
    time.now += 2_000;
  };
  return { files, settings: read.settings, rotating, password, later, logged };
}

describe('a secret in a file', () => {
  it.skipIf(process.platform === 'win32')('that became a named pipe keeps its last value', async () => {
    const { path, rotate } = secretFolder({ password: 'one' });
    const { password, later, logged } = await watched({
      ...base,
      REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password'),
    });
    rmSync(path('password'));
    execFileSync('mkfifo', [path('password')]);
    later();
    expect(await password()).toBe('one');
    expect(logged).toMatchObject([
      ['warn', expect.any(String), { reason: expect.stringContaining('not a regular file') }],
    ]);
    rmSync(path('password'));
    rotate({ password: 'two' });
    symlinkSync(join('..data', 'password'), path('password'));
    later();
    expect(await password()).toBe('two');
  });

  it('is read again when its folder was replaced, at most every two seconds, and at once on demand', async () => {
    const { rotate, path } = secretFolder({ password: 'one\n' });
    const { password, later } = await watched({ ...base, REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password') });
    expect(await password()).toBe('one');
    rotate({ password: 'two\n' });
    expect(await password()).toBe('one');
    later();
    expect(await password()).toBe('two');
    rotate({ password: 'six\n' });
    expect(await password()).toBe('two');
    expect(await password(true)).toBe('six');
  });

  it.each([
    ['is empty', { password: '' }],
    ['is missing', {}],
    ['is half-written', { password: '{"a": \u0001' }],
  ])(
    'that %s keeps its last value, with one line of the log that quotes nothing of it',
    async (_, broken) => {
      const { rotate, path } = secretFolder({ password: 'hunter2' });
      const { password, later, logged } = await watched({
        ...base,
        REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password'),
      });
      rotate(broken);
      for (let times = 0; times < 5; times += 1) {
        later();
        expect(await password()).toBe('hunter2');
        expect(await password(true)).toBe('hunter2');
      }
      expect(logged.map(([level]) => level)).toEqual(['warn']);
      expect(JSON.stringify(logged)).toMatch(/REGSHIFT_UPSTREAM_PASSWORD/);
      expect(JSON.stringify(logged)).not.toMatch(/hunter2|is not set|\{\\"a/);
      rotate({ password: 'new' });
      later();
      expect(await password()).toBe('new');
      expect(logged.map(([level]) => level)).toEqual(['warn', 'info']);
      rotate(broken);
      later();
      await password();
      expect(logged.map(([level]) => level)).toEqual(['warn', 'info', 'warn']);
    },
  );

  it('that is written in place is read again, although its size stays', async () => {
    const { path, folder } = secretFolder({ password: 'one' });
    const { password, later } = await watched({ ...base, REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password') });
    later();
    expect(await password()).toBe('one');
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(folder, 'password'), 'two');
    later();
    expect(await password()).toBe('two');
  });

  it('of a route in a file with settings changes, and that file is not read again', async () => {
    const { rotate, path } = secretFolder({ password: 'one', 'regshift.yaml': '' });
    const yaml = (upstream: string) =>
      `routes:\n  - upstream: ${upstream}\n    upstreamAuth: basic\n    upstreamUsername: robot\n    upstreamPasswordFile: password\n    clientAuth: none\n`;
    rotate({ password: 'one', 'regshift.yaml': yaml('https://a.test') });
    const { rotating } = await watched({ REGSHIFT_CONFIG: path('regshift.yaml') });
    rotate({ password: 'two', 'regshift.yaml': yaml('https://b.test') });
    const newest = await rotating.newest('all', true);
    expect(newest?.REGSHIFT_UPSTREAM_PASSWORD).toBe('two');
    expect(newest?.REGSHIFT_UPSTREAM?.[0].origin).toBe('https://a.test');
  });

  it('is not read again while it stays, so that its settings are the same object', async () => {
    const { path } = secretFolder({ password: 'one' });
    const { rotating } = await watched({ ...base, REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password') });
    const first = await rotating.newest('all', true);
    expect(await rotating.newest('all', true)).toBe(first);
  });

  it('that was completed within one tick of its time stamp is read', async () => {
    const { path } = secretFolder({ password: 'one' });
    const { rotating, files, password } = await watched({
      ...base,
      REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password'),
    });
    const { read } = files;
    files.read = () => ({
      warnings: [],
      raw: {},
      problems: [{ variable: 'X', value: '', message: 'is half-written' }],
    });
    await rotating.look();
    const complete = read();
    files.read = () =>
      'settings' in complete
        ? {
            ...complete,
            settings: {
              ...complete.settings,
              routes: complete.settings.routes.map((route) => ({
                ...route,
                settings: { ...route.settings, REGSHIFT_UPSTREAM_PASSWORD: 'two' },
              })),
            },
          }
        : complete;
    expect(await password(true)).toBe('two');
  });

  it('is looked at once for all requests that wait', async () => {
    const { path } = secretFolder({ password: 'one' });
    const { password, later, files } = await watched({
      ...base,
      REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password'),
    });
    later();
    let looks = 0;
    const { paths } = files;
    files.paths = () => {
      looks += 1;
      return paths();
    };
    await Promise.all(Array.from({ length: 50 }, () => password()));
    expect(looks).toBe(1);
  });
});

it('the key of a bucket for layers is that of its newest files', async () => {
  const { rotate, path } = secretFolder({ id: 'OLD', secret: 'one' });
  const { settings, rotating, later } = await watched({
    ...base,
    REGSHIFT_UPSTREAM_PASSWORD: 'one',
    REGSHIFT_STORE: 's3://bucket/layers?endpoint=http://s3.test',
    AWS_ACCESS_KEY_ID_FILE: path('id'),
    AWS_SECRET_ACCESS_KEY_FILE: path('secret'),
  });
  const signed: (string | undefined)[] = [];
  const store = await openStore(settings, {
    ...nodePlatform(() => {}, testMemory()),
    rotating,
    fetch: async (_url, { headers }) => {
      signed.push(/Credential=([^/]+)/.exec(new Headers(headers).get('authorization') ?? '')?.[1]);
      return new Response(null, { status: 404 });
    },
  });
  const blob = { digest: digestOf(new Uint8Array()), registry: 'https://registry.test' } as const;
  await store?.head(blob);
  rotate({ id: 'NEW', secret: 'two' });
  await store?.head(blob);
  later();
  await store?.head(blob);
  expect(signed).toEqual(['OLD', 'OLD', 'NEW']);
});

it('a rotation costs no pull of a running proxy, and SIGHUP reads the files', async () => {
  const samples = createSampleRegistry();
  let right = 'one';
  const asked: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    const { authorization } = request.headers;
    asked.push(authorization);
    if (authorization !== `Basic ${btoa(`robot:${right}`)}`) {
      return response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' }).end();
    }
    const { method = 'GET', headers } = request;
    const answer = await samples.fetch(`http://sample.test${request.url}`, {
      method,
      headers: { accept: String(headers.accept) },
    });
    const body = Buffer.from(await answer.arrayBuffer());
    response
      .writeHead(answer.status, Object.fromEntries(answer.headers))
      .end(method === 'HEAD' ? undefined : body);
  });
  const { port } = await listen(server);
  const { rotate, path } = secretFolder({ password: 'one' });
  const files = await createSettingsFiles({
    ...base,
    PORT: '0',
    REGSHIFT_UPSTREAM: `http://127.0.0.1:${port}`,
    REGSHIFT_UPSTREAM_PASSWORD_FILE: path('password'),
    REGSHIFT_TAG_TTL: '0',
    REGSHIFT_STALE: '0',
  });
  const read = files.read();
  const logged: string[] = [];
  const running = await serve(await checkedSettings(read), (_level, message) => logged.push(message), files);
  onTestFinished(() => running.close());
  const headers = [['Accept', '*/*']] as const;
  const get = async () =>
    (
      await rawRequest({
        port: Number(new URL(running.url).port),
        method: 'GET',
        path: '/v2/sample/oci/manifests/latest',
        headers,
      })
    ).status;
  expect(await get()).toBe(200);
  rotate({ password: 'two' });
  right = 'two';
  expect(await get()).toBe(200);
  rotate({ password: 'six' });
  right = 'six';
  await running.reload();
  asked.length = 0;
  expect(await get()).toBe(200);
  expect(asked).not.toContain(`Basic ${btoa('robot:two')}`);
  expect(logged).toContain(
    'files of the settings have changed: logins, users and certificates for registries are read from them',
  );
});
