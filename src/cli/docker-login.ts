import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { credentialOf } from '../auth/credential-helper.ts';
import { type HelperQuestion, loginFor, parseDockerConfig } from '../auth/docker-config.ts';
import { RegistryError } from '../errors.ts';
import { createAskHelper } from '../runtime/node/credential-helper.ts';
import type { StaticCredential } from '../upstream/auth/credential.ts';
import type { Io } from './terminal/io.ts';
import { UsageError } from './usage.ts';

const none: StaticCredential = { kind: 'none' };

/** The login that docker login left for a registry, if there is one. @throws UsageError. */
export async function dockerLogin(registry: URL, io: Io): Promise<StaticCredential> {
  const file = join(io.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  const text = textOf(file);
  if (text === undefined) return none;
  const config = parseDockerConfig(text);
  if (config === undefined)
    throw new UsageError(`${file} is not what docker login writes. DOCKER_CONFIG names another folder.`);
  const found = loginFor(config, registry);
  if ('credential' in found) return found.credential;
  return 'helper' in found ? keptLogin(found.helper, io) : none;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A helper that is not there, or has no login for this registry, is no reason not to ask without one. */
async function keptLogin(question: HelperQuestion, io: Io): Promise<StaticCredential> {
  try {
    return credentialOf(await createAskHelper()(question));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (error.detail?.reason !== 'NO_LOGIN') io.stderr(`${error.message} None is used.\n`);
    return none;
  }
}
