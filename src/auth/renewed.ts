import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';

/** A login, and the time for which its source guarantees it. */
export interface Obtained<Login> {
  readonly login: Login;
  /** Milliseconds from the request for the login; undefined if the source states no end. */
  readonly lifeMs?: number | undefined;
}

export interface RenewedOptions<Login> {
  /** The program or service that gives the login, as messages name it. */
  readonly source: string;
  /** @throws RegistryError with a message that quotes no secret. */
  readonly obtain: () => Promise<Obtained<Login>>;
  /** The log line when the source fails and the earlier login stays, and its facts. */
  readonly failure: { readonly message: string; readonly facts: Readonly<Record<string, unknown>> };
  readonly clock: Clock;
  readonly log: Log;
  readonly background: Background;
}

/** The time for which a login without a stated end is used. The shortest-lived logins (of clouds) last an hour. */
const usualLifeMs = 600_000;

/** The shortest time between two requests after a 401, which a registry also sends for content that does not exist. */
const replaceIntervalMs = 30_000;

/** The time after which a failed renewal is tried again while the earlier login is valid. */
const renewAgainMs = 30_000;

const afterErrorMs = 5_000;

const deadlineMs = 30_000;

/** A login that changes from time to time. */
export interface Renewed<Login> {
  /** @throws RegistryError as `obtain`; MISCONFIGURED if the source does not answer in time. */
  current(): Promise<Login>;
  /**
   * Another login after one was refused.
   * @param isOther whether a login is another one than the refused one.
   * @returns undefined if the source has no other one yet.
   */
  replace(isOther: (login: Login) => boolean): Promise<Login | undefined>;
}

interface KnownLogin<Login> {
  readonly login: Login;
  readonly fetchedAt: number;
  /** From here on, the login is renewed. */
  readonly renewAt: number;
  /** The stated end of the login. */
  readonly endsAt: number | undefined;
}

/**
 * A login that a source gives for a while. Concurrent requests share one request to the source. A login with a stated
 * end is renewed at four fifths of its life while requests go on with it, and stays in use to its end if the source
 * fails. A login without one is renewed every ten minutes. Each is renewed when upstream refuses it.
 */
export function createRenewed<Login>(options: RenewedOptions<Login>): Renewed<Login> {
  const { source, obtain, failure, clock, log, background } = options;
  const flights = createSingleFlight<Login>(deadlineMs, background);
  let known: KnownLogin<Login> | undefined;
  let lastError: { readonly error: unknown; readonly at: number } | undefined;

  async function request(): Promise<Login> {
    const at = clock();
    const { login, lifeMs } = await obtain();
    const endsAt = lifeMs === undefined ? undefined : at + lifeMs;
    known = {
      login,
      fetchedAt: at,
      renewAt: at + (lifeMs === undefined ? usualLifeMs : lifeMs * 0.8),
      endsAt,
    };
    return login;
  }

  /** Remembers an error for a while, so that not every request asks a source that fails. */
  async function firstLogin(): Promise<Login> {
    if (lastError && clock() - lastError.at < afterErrorMs) throw lastError.error;
    return renew().catch((error: unknown) => {
      lastError = { error, at: clock() };
      throw error;
    });
  }

  function renew(): Promise<Login> {
    const late = () => new RegistryError('MISCONFIGURED', `${source} did not answer in time.`);
    return flights.join({ key: 'get', start: request, late }, undefined);
  }

  /** Keeps the login if the source fails: it may still be valid. */
  async function renewOr(previous: KnownLogin<Login>): Promise<Login> {
    try {
      return await renew();
    } catch (error) {
      const reason = error instanceof RegistryError ? error.message : 'unknown';
      log('warn', failure.message, { ...failure.facts, reason });
      const pause = previous.endsAt === undefined ? usualLifeMs : renewAgainMs;
      if (known === previous) known = { ...previous, fetchedAt: clock(), renewAt: clock() + pause };
      return previous.login;
    }
  }

  return {
    async current() {
      const now = clock();
      if (known === undefined || (known.endsAt !== undefined && now >= known.endsAt)) return firstLogin();
      if (now < known.renewAt) return known.login;
      if (known.endsAt === undefined) return renewOr(known);
      // Requests do not wait for the renewal of a login that is valid, and only one renewal begins.
      const { login } = known;
      const previous = known;
      known = { ...previous, renewAt: now + renewAgainMs };
      background(renewOr(known));
      return login;
    },

    async replace(isOther) {
      // An earlier refusal has already replaced the login.
      if (known && isOther(known.login)) return known.login;
      if (known === undefined || clock() - known.fetchedAt < replaceIntervalMs) return undefined;
      const login = await renewOr(known);
      return isOther(login) ? login : undefined;
    },
  };
}
