import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type CredentialHelper, credentialKey, type StaticCredential } from '../upstream/auth/credential.ts';
import type { HelperQuestion } from './docker-config.ts';

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

export interface CredentialHelperOptions {
  readonly question: HelperQuestion;
  readonly ask: AskHelper;
  readonly clock: Clock;
  readonly log: Log;
  readonly background: Background;
}

/** The time for which a login is used. Helpers state no expiry; the shortest-lived logins (of clouds) last an hour. */
const cacheMs = 600_000;

/** The shortest time between two runs after a 401, which a registry also sends for content that does not exist. */
const replaceIntervalMs = 30_000;

const afterErrorMs = 5_000;

const deadlineMs = 30_000;

/**
 * The login that a credential helper stores. The helper runs every ten minutes, and when upstream refuses the login.
 */
export function createCredentialHelper({
  question,
  ask,
  clock,
  log,
  background,
}: CredentialHelperOptions): CredentialHelper {
  const { program, server } = question;
  const flights = createSingleFlight<StaticCredential>(deadlineMs, background);
  let known: { readonly login: StaticCredential; readonly fetchedAt: number } | undefined;
  let lastError: { readonly error: unknown; readonly at: number } | undefined;

  async function runHelper(): Promise<StaticCredential> {
    const at = clock();
    const login = credentialOf(await ask(question));
    known = { login, fetchedAt: at };
    return login;
  }

  /** Remembers an error for a while, so that not every request starts a program that fails. */
  async function firstLogin(): Promise<StaticCredential> {
    if (lastError && clock() - lastError.at < afterErrorMs) throw lastError.error;
    return renew().catch((error: unknown) => {
      lastError = { error, at: clock() };
      throw error;
    });
  }

  function renew(): Promise<StaticCredential> {
    const late = () => new RegistryError('MISCONFIGURED', `${program} did not answer in time.`);
    return flights.join({ key: 'get', start: runHelper, late }, undefined);
  }

  /** Keeps the login if the helper fails: it may still be valid. */
  async function renewOr(login: StaticCredential): Promise<StaticCredential> {
    try {
      return await renew();
    } catch (error) {
      const reason = error instanceof RegistryError ? error.message : 'unknown';
      log('warn', 'a credential helper failed: going on with the login that it gave before', {
        program,
        reason,
      });
      known = { login, fetchedAt: clock() };
      return login;
    }
  }

  return {
    id: `${program} ${server}`,

    async current() {
      if (known === undefined) return firstLogin();
      return clock() - known.fetchedAt < cacheMs ? known.login : renewOr(known.login);
    },

    async replace(refused) {
      const isOther = (login: StaticCredential) => credentialKey(login) !== credentialKey(refused);
      // An earlier refusal has already replaced the login.
      if (known && isOther(known.login)) return known.login;
      if (known && clock() - known.fetchedAt < replaceIntervalMs) return undefined;
      const login = await renewOr(refused);
      return isOther(login) ? login : undefined;
    },
  };
}

/** Tells an identity token from a password as Docker does (cli/config/credentials/native_store.go: tokenUsername). */
export function credentialOf({ username, secret }: HelperAnswer): StaticCredential {
  return username === '<token>'
    ? { kind: 'identity', token: secret }
    : { kind: 'service', username, password: secret };
}
