import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type LoginHelper, loginFor, parseDockerConfig } from '../auth/docker-config.ts';
import type { Credential } from '../upstream/credential.ts';
import type { Io } from './io.ts';
import { UsageError } from './usage.ts';

const none: Credential = { kind: 'none' };

/** The login that docker login left for a registry, if there is one. @throws UsageError. */
export async function dockerLogin(registry: URL, io: Io): Promise<Credential> {
  const file = join(io.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  const text = textOf(file);
  if (text === undefined) return none;
  const config = parseDockerConfig(text);
  if (config === undefined)
    throw new UsageError(`${file} is not what docker login writes. DOCKER_CONFIG names another folder.`);
  const found = loginFor(config, registry);
  if ('credential' in found) return found.credential;
  return found.helper ? askHelper(found.helper, io) : none;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The protocol of docker-credential-helpers: the address on standard input, JSON on standard output. A helper that is
 * not there, or has no login for this registry, is no reason not to ask without one.
 */
async function askHelper({ name, address }: LoginHelper, io: Io): Promise<Credential> {
  const answer = await new Promise<string>((resolve) => {
    const child = execFile(`docker-credential-${name}`, ['get'], { timeout: 30_000 }, (error, output) => {
      if (error && !/credentials not found/i.test(output)) {
        io.tell(`docker-credential-${name} gave no login for ${address}, so none is used.\n`);
      }
      resolve(error ? '' : output);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(address);
  });
  return credentialIn(answer);
}

function credentialIn(answer: string): Credential {
  try {
    const { Username: username, Secret: secret } = JSON.parse(answer) as Record<string, unknown>;
    if (typeof username !== 'string' || typeof secret !== 'string') return none;
    // "<token>" in the place of a name says that the secret is an identity token.
    return username === '<token>'
      ? { kind: 'identity', token: secret }
      : { kind: 'service', username, password: secret };
  } catch {
    return none;
  }
}
