import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startArguments } from '../support/node-process.ts';
import { findOldNode, systemPath } from '../support/old-node.ts';
import { runLine, startLine } from '../support/shell.ts';
import { hasTerminals, startOnTerminal } from '../support/terminal.ts';
import { projectRoot } from '../support/wrangler.ts';

const serve = `'${process.execPath}' ${startArguments().join(' ')}`;

it('a start that cannot be ends the process with its exit code', async () => {
  const wrong = await runLine(serve, { cwd: projectRoot, env: { NODE_ENV: 'production' } });
  expect(wrong).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/^regshift cannot start with/),
  });
  const elsewhere = await runLine(serve, {
    cwd: projectRoot,
    env: { HOST: '192.0.2.1', LOG_LEVEL: 'error' },
  });
  expect(elsewhere).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^regshift cannot start: HOST/),
  });
});

it.skipIf(findOldNode() === undefined)(
  'npm ci on an older Node prints no warnings about engines',
  async () => {
    // The lock file has all that npm needs to know, so it asks no registry.
    const { code, out, err } = await runLine('npm ci --dry-run --offline --no-audit', {
      cwd: projectRoot,
      env: { PATH: systemPath },
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toContain('EBADENGINE');
  },
);

describe('a start that warns', () => {
  it('serves the samples in production where they are asked for, and names near misses', async () => {
    const env = { NODE_ENV: 'production', REGSHIFT_UPSTREAM: 'sample', LOGLEVEL: 'debug', PORT: '0' };
    const { printed, stop } = await startLine(serve, /LOGLEVEL/, { cwd: projectRoot, env });
    await stop();
    expect(printed()).toMatch(/sample registry/);
    expect(printed()).toContain('LOGLEVEL is not a setting of regshift: did you mean LOG_LEVEL?');
  });

  it('listens first, and names a registry that is dead', async () => {
    const env = { REGSHIFT_UPSTREAM: 'http://127.0.0.1:9', PORT: '0', LOG_FORMAT: 'text' };
    const { printed, stop } = await startLine(serve, /cannot be used/, { cwd: projectRoot, env });
    await stop();
    expect(printed().indexOf('regshift serves http://127.0.0.1:9/')).toBe(0);
    // The lines for people are for terminals.
    expect(printed()).not.toContain('Only this machine');
    expect(printed()).toContain('ECONNREFUSED: nothing listens there');
  });

  it.skipIf(!hasTerminals)('says on a terminal that only this machine reaches it', async () => {
    const env = { REGSHIFT_UPSTREAM: 'https://registry.example', PORT: '0' };
    const { printed, close } = await startOnTerminal(serve, /insecure-registries/, { cwd: projectRoot, env });
    await close();
    expect(printed()).toMatch(
      /Only this machine reaches it\. For other machines, start it with HOST=0\.0\.0\.0, and type there:\s+docker pull \S+:\d+\/<image>/,
    );
  });

  it('npm start serves the samples whatever NODE_ENV says', async () => {
    const env = { NODE_ENV: 'production', PORT: '0', LOG_FORMAT: 'text' };
    const path = [join(projectRoot, 'node_modules/.bin'), systemPath].join(delimiter);
    const { printed, stop } = await startLine('npm start', /npm start\n/, {
      cwd: projectRoot,
      env: { ...env, PATH: path },
    });
    await stop();
    expect(printed()).toContain('sample registry');
  });

  it('SIGTERM of npm ends the program, although the shell between them does not pass it on', async () => {
    const path = [join(projectRoot, 'node_modules/.bin'), systemPath].join(delimiter);
    const env = { PORT: '0', LOG_FORMAT: 'text', REGSHIFT_SHUTDOWN_GRACE: '0', PATH: path };
    const { terminate, stop } = await startLine('exec npm start', /npm start\n/, { cwd: projectRoot, env });
    try {
      expect(await terminate()).toBe(true);
    } finally {
      await stop();
    }
  });
});
