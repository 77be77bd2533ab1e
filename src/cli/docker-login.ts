import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { credentialOf } from '../auth/credential-helper.ts';
import { type HelperQuestion, loginFor, parseDockerConfig } from '../auth/docker-config.ts';
import { RegistryError } from '../errors.ts';
import { createAskHelper } from '../runtime/node/credential-helper.ts';
import type { StaticCredential } from '../upstream/auth/credential.ts';
import { errorText } from './error-text.ts';
import { type Io, printNote } from './terminal/io.ts';
import { UsageError } from './usage.ts';

const none: StaticCredential = { kind: 'none' };

/**
 * Returns the login for a registry: the one of `--creds`, else the one that `docker login` saved, or none.
 * @param creds user and password with a colon between them.
 * @throws UsageError, which does not quote the login.
 */
export async function loginForRegistry(
  registry: URL,
  creds: string | undefined,
  io: Io,
): Promise<StaticCredential> {
  if (creds === undefined) return dockerLogin(registry, io);
  const [, username, password] = /^([^:]+):(.+)$/s.exec(creds) ?? [];
  if (username === undefined || password === undefined)
    throw new UsageError('--creds must be a user and a password with a colon between them: user:password.');
  return { kind: 'service', username, password };
}

/**
 * Returns the login that `docker login` saved for a registry, or none.
 * @throws UsageError if the configuration file is not one that `docker login` writes.
 */
async function dockerLogin(registry: URL, io: Io): Promise<StaticCredential> {
  const file = join(io.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  const text = textOf(file);
  if (text === undefined) return none;
  const config = parseDockerConfig(text);
  if (config === undefined)
    throw new UsageError(
      `${file} is not a configuration file of docker login. Fix it, or set DOCKER_CONFIG to another folder.`,
    );
  const found = loginFor(config, registry);
  if ('credential' in found) return found.credential;
  return 'helper' in found ? helperLogin(found.helper, io) : none;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Asks a credential helper. If the helper fails or has no login for the registry, requests carry no login. */
async function helperLogin(question: HelperQuestion, io: Io): Promise<StaticCredential> {
  try {
    return credentialOf(await createAskHelper()(question));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (error.detail?.reason !== 'NO_LOGIN')
      printNote(io, `${errorText(error)} regshift continues without a login.`);
    return none;
  }
}
