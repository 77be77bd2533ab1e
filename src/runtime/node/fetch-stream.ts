import { Failure } from '../../errors.ts';
import type { Fetch } from '../../upstream/send.ts';

/**
 * Node's `fetch`, for bodies of any length. It clones each request that could be redirected (undici, httpNetworkOrCacheFetch,
 * after the Fetch standard, section 4.6, step 8.1): of a body that is a stream it then holds a copy of all that has gone
 * out. Without a window and without redirects there is no clone.
 * @throws Failure UPSTREAM_ANSWER for a redirect of a stream; else as `fetch`.
 */
export const fetchStream: Fetch = async (url, init) => {
  if (!(init.body instanceof ReadableStream)) return fetch(url, init);
  const once: RequestInit & { window: null } = { ...init, window: null, redirect: 'error' };
  try {
    return await fetch(url, once);
  } catch (error) {
    if (error instanceof Error && /redirect/.test(String(error.cause))) throw redirected(url, error);
    throw error;
  }
};

function redirected(url: string, cause: Error): Failure {
  return new Failure(
    'UPSTREAM_ANSWER',
    `${new URL(url).host} answered what was sent to it with a redirect, which is not followed. If the registry has ` +
      'moved, configure its new address.',
    { cause },
  );
}
