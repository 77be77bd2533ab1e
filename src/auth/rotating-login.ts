import { RegistryError } from '../errors.ts';
import {
  type Credential,
  type CredentialHelper,
  credentialKey,
  type StaticCredential,
} from '../upstream/auth/credential.ts';

export interface RotatingLoginOptions {
  /** The login at the start. It identifies the account in keys of caches for as long as the process runs. */
  readonly first: Credential;
  /**
   * The login of the newest settings. The same object comes back until the settings of the login change.
   * @param atOnce true if upstream has refused the login, so that the files are looked at now.
   */
  readonly newest: (atOnce: boolean) => Promise<Credential>;
}

/**
 * A login whose files are replaced while the program runs. Tokens belong to the login that requested them, so those of
 * an earlier password are not used again. Where new settings give no login, as with a cloud that does not know a new
 * key yet, the earlier login stays.
 */
export function createRotatingLogin({ first, newest }: RotatingLoginOptions): CredentialHelper {
  let used = first;

  async function current(): Promise<StaticCredential> {
    const login = await newest(false);
    try {
      const found = await staticOf(login);
      used = login;
      return found;
    } catch (error) {
      if (login === used || !(error instanceof RegistryError)) throw error;
      return staticOf(used);
    }
  }

  return {
    id: credentialKey(first),
    current,
    async replace(refused) {
      const login = await newest(true);
      if (login.kind === 'kept' && login === used) return login.helper.replace(refused);
      const found = await current();
      return credentialKey(found) === credentialKey(refused) ? undefined : found;
    },
  };
}

async function staticOf(login: Credential): Promise<StaticCredential> {
  return login.kind === 'kept' ? login.helper.current() : login;
}
