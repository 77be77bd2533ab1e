import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** A real program in the PATH. */
function install(script: string): void {
  writeFileSync(join(home, 'docker-credential-test'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const question = { program: 'docker-credential-test', server: 'registry.test:5000' };
const good = `echo '{"ServerURL":"x","Username":"robot","Secret":"hunter2"}'`;

describe('a credential helper', () => {
  it('is told the server on its input, and its answer is the login', async () => {
    install(`[ "$*" = get ] && [ "$(cat)" = registry.test:5000 ] && ${good}`);
    expect(await createAskHelper()(question)).toEqual({ username: 'robot', secret: 'hunter2' });
  });

  it('may leave its input unread', async () => {
    install(`exec <&-; ${good}`);
    expect(await createAskHelper()({ ...question, server: 'x'.repeat(200_000) })).toMatchObject({
      username: 'robot',
    });
  });

  it('is no shell, so that a server is never a command', async () => {
    install(`printf '{"Username":"%s","Secret":"s"}' "$(cat)"`);
    const answer = await createAskHelper()({ ...question, server: '$(id);`id`' });
    expect(answer.username).toBe('$(id);`id`');
  });

  it('has the variables of this program, but for its own', async () => {
    vi.stubEnv('REGSHIFT_SIGNING_KEY', 'hunter2');
    vi.stubEnv('AWS_PROFILE', 'registry');
    install('printf \'{"Username":"%s","Secret":"%s"}\' "$AWS_PROFILE" "nothing$REGSHIFT_SIGNING_KEY"');
    expect(await createAskHelper()(question)).toEqual({ username: 'registry', secret: 'nothing' });
  });
});

describe('a credential helper that fails', () => {
  it.each<[string, string, RegExp]>([
    ['ends with an error', 'echo hunter2; echo hunter2 >&2; exit 3', /ended with the code 3/],
    [
      'keeps nothing',
      'echo credentials not found in native keychain; exit 1',
      /keeps no login for registry\.test:5000/,
    ],
    ['prints no JSON', 'echo hunter2', /did not answer with \{"Username"/],
    ['names no user', `echo '{"Username":"","Secret":"hunter2"}'`, /did not answer with \{"Username"/],
    ['has no secret', `echo '{"Username":"hunter2"}'`, /did not answer with \{"Username"/],
    ['prints without end', 'exec yes hunter2', /more than 65536 characters/],
    ['stands still', 'exec sleep 30', /did not answer within 500 ms/],
  ])('and %s says so, without what it printed', async (_how, script, message) => {
    install(script);
    const error = await createAskHelper(500)(question).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringMatching(message),
      cause: undefined,
    });
    expect(String(error)).not.toContain('hunter2');
  });

  it('because it is not there is told from others', async () => {
    const error = await createAskHelper()({ ...question, program: 'docker-credential-none' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('docker-credential-none is not in the PATH'),
      detail: { reason: 'NO_PROGRAM' },
    });
  });
});
