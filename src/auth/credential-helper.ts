import type { CredentialHelper, StaticCredential } from '../upstream/auth/credential.ts';
import type { HelperQuestion } from './docker-config.ts';
import { createRenewedLogin, type RenewedLoginOptions } from './renewed-login.ts';

/** The output of a helper (docker-credential-helpers, "get"). */
export interface HelperAnswer {
  readonly username: string;
  /** A password; with the user name `<token>`, an identity token. */
  readonly secret: string;
}

/**
 * Runs a credential helper; provided by a runtime that can run programs.
 * @throws RegistryError MISCONFIGURED with the reason. It quotes nothing that the program printed.
 */
export type AskHelper = (question: HelperQuestion) => Promise<HelperAnswer>;

export interface CredentialHelperOptions extends Pick<RenewedLoginOptions, 'clock' | 'log' | 'background'> {
  readonly question: HelperQuestion;
  readonly ask: AskHelper;
}

/**
 * The login that a credential helper stores. The helper runs every ten minutes, because helpers state no expiry, and
 * when upstream refuses the login.
 */
export function createCredentialHelper({
  question,
  ask,
  ...parts
}: CredentialHelperOptions): CredentialHelper {
  const { program, server } = question;
  return createRenewedLogin({
    ...parts,
    source: program,
    id: `${program} ${server}`,
    obtain: async () => ({ login: credentialOf(await ask(question)) }),
    failure: {
      message: 'a credential helper failed: going on with the login that it gave before',
      facts: { program },
    },
  });
}

/** Tells an identity token from a password as Docker does (cli/config/credentials/native_store.go: tokenUsername). */
export function credentialOf({ username, secret }: HelperAnswer): StaticCredential {
  return username === '<token>'
    ? { kind: 'identity', token: secret }
    : { kind: 'service', username, password: secret };
}
