import type { Budget } from '../budget.ts';
import { isDeadline } from '../concurrency/deadline.ts';
import { Failure } from '../errors.ts';
import { networkFailure, timeoutFailure } from './upstream-failure.ts';

/** The part of the web's `fetch` that is used; the embedded sample registry is one too. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Sender {
  readonly fetch: Fetch;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly body?: string;
  /** Made by `withDeadline`, of which `milliseconds` and `caller` are the first two arguments. */
  readonly signal: AbortSignal;
  readonly milliseconds: number;
  readonly caller: AbortSignal | undefined;
  readonly budget: Budget | undefined;
}

/**
 * Asks one server once and follows nothing.
 * @throws Failure UPSTREAM_UNREACHABLE or UPSTREAM_TIMEOUT; as `Budget.spend`; the caller's abort as the caller gave
 *   it.
 */
export async function send(sender: Sender, url: URL, headers: Headers): Promise<Response> {
  const { fetch, method, signal, body } = sender;
  sender.budget?.spend();
  try {
    const init = { method, headers, redirect: 'manual' as const, signal };
    return await fetch(url.href, body === undefined ? init : { ...init, body });
  } catch (error) {
    sender.caller?.throwIfAborted();
    if (isDeadline(signal)) throw timeoutFailure(sender.milliseconds, method, url);
    throw error instanceof Failure ? error : networkFailure(error, method, url);
  }
}
