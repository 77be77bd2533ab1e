import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type CredentialHelper, credentialKey, type StaticCredential } from '../upstream/auth/credential.ts';
import type { HelperQuestion } from './docker-config.ts';

/** What a helper answers (docker-credential-helpers, "get"). */
export interface HelperAnswer {
  readonly username: string;
  /** A password, or with the user name `<token>` an identity token. */
  readonly secret: string;
}

/**
 * Asks a credential helper; given by a runtime that can run programs.
 * @throws RegistryError MISCONFIGURED that says why there is no login, and nothing of what the program printed.
 */
export type AskHelper = (question: HelperQuestion) => Promise<HelperAnswer>;

export interface CredentialHelperOptions {
  readonly question: HelperQuestion;
  readonly ask: AskHelper;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly background: Background;
}

/** Helpers do not say how long a login is good; the shortest-lived ones there are (of clouds) last an hour. */
const keptMs = 600_000;

/** A registry answers 401 for what is not there, too: not each such answer is worth a program's start. */
const betweenMs = 30_000;

const afterFailureMs = 5_000;

const deadlineMs = 30_000;

/** The login that a credential helper keeps: asked for once in ten minutes, and when upstream refuses it. */
export function createCredentialHelper({
  question,
  ask,
  clock,
  log,
  background,
}: CredentialHelperOptions): CredentialHelper {
  const { program, server } = question;
  const flights = createSingleFlight<StaticCredential>(deadlineMs, background);
  let known: { readonly login: StaticCredential; readonly askedAt: number } | undefined;
  let failure: { readonly error: unknown; readonly at: number } | undefined;

  async function askNow(): Promise<StaticCredential> {
    const login = credentialOf(await ask(question));
    known = { login, askedAt: clock() };
    return login;
  }

  /** Where there is none, not every request starts the program to hear so. */
  async function first(): Promise<StaticCredential> {
    if (failure && clock() - failure.at < afterFailureMs) throw failure.error;
    return renew().catch((error: unknown) => {
      failure = { error, at: clock() };
      throw error;
    });
  }

  function renew(): Promise<StaticCredential> {
    const late = () => new RegistryError('MISCONFIGURED', `${program} did not answer in time.`);
    return flights.join({ key: 'get', start: askNow, late }, undefined);
  }

  /** What was good a moment ago may be so still. */
  async function renewOr(login: StaticCredential): Promise<StaticCredential> {
    try {
      return await renew();
    } catch (error) {
      const reason = error instanceof RegistryError ? error.message : 'unknown';
      log('warn', 'a credential helper failed: going on with the login that it gave before', {
        program,
        reason,
      });
      known = { login, askedAt: clock() };
      return login;
    }
  }

  return {
    id: `${program} ${server}`,

    async current() {
      if (known === undefined) return first();
      return clock() - known.askedAt < keptMs ? known.login : renewOr(known.login);
    },

    async replace(refused) {
      const isOther = (login: StaticCredential) => credentialKey(login) !== credentialKey(refused);
      // Someone else has been refused before, and asked.
      if (known && isOther(known.login)) return known.login;
      if (known && clock() - known.askedAt < betweenMs) return undefined;
      const login = await renewOr(refused);
      return isOther(login) ? login : undefined;
    },
  };
}

/** Docker, cli/config/credentials/native_store.go: tokenUsername. */
export function credentialOf({ username, secret }: HelperAnswer): StaticCredential {
  return username === '<token>'
    ? { kind: 'identity', token: secret }
    : { kind: 'service', username, password: secret };
}
