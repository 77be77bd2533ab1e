import { type CredentialHelper, credentialKey, type StaticCredential } from '../upstream/auth/credential.ts';
import { createRenewed, type Obtained, type RenewedOptions } from './renewed.ts';

export type ObtainedLogin = Obtained<StaticCredential>;

export interface RenewedLoginOptions extends RenewedOptions<StaticCredential> {
  /** Identifies the login in keys of caches; no secret. */
  readonly id: string;
}

/** A login for a registry that a source gives for a while. It is renewed as `createRenewed` says. */
export function createRenewedLogin({ id, ...options }: RenewedLoginOptions): CredentialHelper {
  const renewed = createRenewed(options);
  return {
    id,
    current: renewed.current,
    replace: (refused) => renewed.replace((login) => credentialKey(login) !== credentialKey(refused)),
  };
}
