import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RepositoryName } from '../../converters/reference.ts';
import { credentialOf } from '../auth/credential-helper.ts';
import { type HelperQuestion, loginFor, parseDockerConfig } from '../auth/docker-config.ts';
import { RegistryError } from '../errors.ts';
import { createAskHelper } from '../runtime/node/credential-helper.ts';
import type { StaticCredential } from '../upstream/auth/credential.ts';
import { errorText } from './error-text.ts';
import { FileError, isOfSystem, systemErrorText } from './system-error.ts';
import { type Io, printNote } from './terminal/io.ts';
import { UsageError } from './usage.ts';

const none: StaticCredential = { kind: 'none' };

/** The registry that gets a login, and the repository; without one, the login is for every repository. */
interface LoginPlace {
  readonly registryUrl: URL;
  readonly name?: RepositoryName;
}

/**
 * Returns the login for a registry: the given one, else the one that `docker login` or `podman login` saved, or none.
 * @param creds user and password with a colon between them.
 * @param option the option that gave them; default: `--creds`.
 * @throws UsageError, which does not quote the login.
 */
type LoginForRegistry = (
  place: LoginPlace,
  creds: string | undefined,
  option?: string,
) => Promise<StaticCredential>;

type HelperLogin = (question: HelperQuestion) => Promise<StaticCredential>;

/** Finds logins for the images of a command: it asks a credential helper once for each registry. */
export function createLogins(io: Io): LoginForRegistry {
  const asked = new Map<string, Promise<StaticCredential>>();
  const askOnce: HelperLogin = (question) => {
    const key = JSON.stringify(question);
    const login = asked.get(key) ?? helperLogin(question, io);
    asked.set(key, login);
    return login;
  };
  return async (place, creds, option = '--creds') => {
    if (creds !== undefined) return givenLogin(creds, option);
    const { credential, file } = await savedLogin(place, io, askOnce);
    io.loginFiles[option === '--to-creds' ? 'target' : 'source'] = file;
    return credential;
  };
}

function givenLogin(creds: string, option: string): StaticCredential {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(creds) ?? [];
  if (username === undefined || password === undefined)
    throw new UsageError(`${option} must be a user and a password with a colon between them: user:password.`);
  return { kind: 'service', username, password };
}

interface SavedLogin {
  readonly credential: StaticCredential;
  /** The file that has the login, or names its helper; undefined if there is no login. */
  readonly file: string | undefined;
}

/**
 * Returns the login that `docker login` or `podman login` saved for a registry, or none.
 * @throws UsageError if a file is not one that they write.
 */
async function savedLogin(
  { registryUrl, name }: LoginPlace,
  io: Io,
  askHelper: HelperLogin,
): Promise<SavedLogin> {
  for (const place of loginFiles(io.env)) {
    const { file, variable, other } = place;
    const text = textOf(place);
    // Docker and podman take an empty file for one without logins, too.
    if (text === undefined || text.trim() === '') continue;
    const config = parseDockerConfig(text);
    if (config === undefined)
      throw new UsageError(
        `${file} is not a configuration file of docker login. Fix it, or set ${variable} to another ${other}.`,
      );
    const found = loginFor(config, registryUrl, name);
    if ('credential' in found) return { credential: found.credential, file };
    if ('helper' in found) {
      const credential = await askHelper(found.helper);
      return { credential, file: credential.kind === 'none' ? undefined : file };
    }
  }
  return { credential: none, file: undefined };
}

interface LoginFile {
  readonly file: string;
  /** The variable of the environment that leads to the file, and its kind of value. */
  readonly variable: string;
  readonly other: 'file' | 'folder';
}

/**
 * The files with logins, in the order of use: the one that REGISTRY_AUTH_FILE names, as for podman and skopeo
 * (podman-login(1)), that of docker login, and those of podman login: it writes below `/run/containers` without
 * XDG_RUNTIME_DIR, as for root, and below `~/.config` on macOS and Windows (containers/image,
 * pkg/docker/config/config.go, `getPathToAuthWithOS`).
 */
function loginFiles(env: Io['env']): readonly LoginFile[] {
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_CONFIG_HOME, XDG_RUNTIME_DIR } = env;
  const inFolder = (variable: string, folder: string, ...file: readonly string[]): LoginFile => ({
    file: join(folder, ...file),
    variable,
    other: 'folder',
  });
  // node:process has no getuid on Windows, so an import of it would fail there.
  const ofPodman = XDG_RUNTIME_DIR
    ? [XDG_RUNTIME_DIR, 'containers']
    : ['/run/containers', `${process.getuid?.()}`];
  return [
    ...(REGISTRY_AUTH_FILE
      ? [{ file: REGISTRY_AUTH_FILE, variable: 'REGISTRY_AUTH_FILE', other: 'file' } as const]
      : []),
    inFolder('DOCKER_CONFIG', DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json'),
    inFolder('XDG_RUNTIME_DIR', join(...ofPodman), 'auth.json'),
    inFolder('XDG_CONFIG_HOME', XDG_CONFIG_HOME || join(homedir(), '.config'), 'containers', 'auth.json'),
  ];
}

function textOf({ file, other }: LoginFile): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    // The home of a user of the system may be /dev/null.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    // Podman of root closes /run/containers to other users, who have no login there.
    if (other === 'folder' && !existsSync(dirname(file))) return undefined;
    throw new FileError(systemErrorText(error, file), { cause: error });
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
