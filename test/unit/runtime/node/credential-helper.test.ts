import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAskHelper } from '../../../../src/runtime/node/credential-helper.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'regshift-helper-'));
  vi.stubEnv('PATH', [home, process.env.PATH].join(delimiter));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

/** Installs a shell script in the PATH as the credential helper. */
function install(script: string): void {
  writeFileSync(join(home, 'docker-credential-test'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const request = { program: 'docker-credential-test', server: 'registry.test:5000' };
const good = `echo '{"ServerURL":"x","Username":"robot","Secret":"hunter2"}'`;

describe('a credential helper', () => {
  it('gets the server on stdin and prints the login', async () => {
    install(`[ "$*" = get ] && [ "$(cat)" = registry.test:5000 ] && ${good}`);
    expect(await createAskHelper()(request)).toEqual({ username: 'robot', secret: 'hunter2' });
  });

  it('may leave its stdin unread', async () => {
    install(`exec <&-; ${good}`);
    expect(await createAskHelper()({ ...request, server: 'x'.repeat(200_000) })).toMatchObject({
      username: 'robot',
    });
  });

  it('runs without a shell, so that a server is never a command', async () => {
    install(`printf '{"Username":"%s","Secret":"s"}' "$(cat)"`);
    const answer = await createAskHelper()({ ...request, server: '$(id);`id`' });
    expect(answer.username).toBe('$(id);`id`');
  });

  it('has the variables of the proxy, without its settings', async () => {
    vi.stubEnv('REGSHIFT_SIGNING_KEY', 'hunter2');
    vi.stubEnv('AWS_PROFILE', 'registry');
    install('printf \'{"Username":"%s","Secret":"%s"}\' "$AWS_PROFILE" "nothing$REGSHIFT_SIGNING_KEY"');
    expect(await createAskHelper()(request)).toEqual({ username: 'registry', secret: 'nothing' });
  });
});

describe('a credential helper that fails', () => {
  it.each<[string, string, RegExp]>([
    ['ends with an error', 'echo hunter2; echo hunter2 >&2; exit 3', /ended with the code 3/],
    ['is ended by a signal', 'kill -9 $$', /was ended by SIGKILL when/],
    [
      'has no login',
      'echo credentials not found in native keychain; exit 1',
      /keeps no login for registry\.test:5000/,
    ],
    ['prints no JSON', 'echo hunter2', /did not answer with \{"Username"/],
    ['names no user', `echo '{"Username":"","Secret":"hunter2"}'`, /did not answer with \{"Username"/],
    ['has no secret', `echo '{"Username":"hunter2"}'`, /did not answer with \{"Username"/],
    ['prints without end', 'exec yes hunter2', /more than 65536 characters/],
    ['hangs', 'exec sleep 30', /did not answer within 500 ms/],
  ])('and %s causes an error without its output', async (_how, script, message) => {
    install(script);
    const error = await createAskHelper(500)(request).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringMatching(message),
      cause: undefined,
    });
    expect(String(error)).not.toContain('hunter2');
  });

  it('leaves no pipe open to a process that it started', async () => {
    const ended = join(home, 'ended');
    install(`trap '' PIPE; (while echo; do sleep 0.05; done 2> /dev/null; touch ${ended}) & wait`);
    await expect(createAskHelper(200)(request)).rejects.toThrow('did not answer within 200 ms');
    await expect.poll(() => existsSync(ended), { timeout: 5_000 }).toBe(true);
  });

  it('because it is not installed has its own reason', async () => {
    const error = await createAskHelper()({ ...request, program: 'docker-credential-none' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('docker-credential-none is not in the PATH'),
      detail: { reason: 'NO_PROGRAM' },
    });
  });
});
