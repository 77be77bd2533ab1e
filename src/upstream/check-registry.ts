import { withDeadline } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';
import { requestPing } from './api/ping.ts';
import { discard } from './body.ts';
import type { UpstreamClient } from './client.ts';
import { errorFromResponse } from './error-response.ts';

const deadlineMs = 8_000;

/**
 * Pings a registry without a login, to find an address that is wrong before the first client does.
 * @returns the problem in words for the operator; undefined for a registry that answers, also if it wants a login.
 */
export async function registryProblem(client: UpstreamClient): Promise<string | undefined> {
  try {
    return await withDeadline(deadlineMs, undefined, async (signal) =>
      problemOf(await requestPing(client, { credential: { kind: 'none' }, signal })),
    );
  } catch (error) {
    if (!(error instanceof RegistryError)) return `It did not answer within ${deadlineMs / 1000} s.`;
    return error.code === 'UNAUTHORIZED' || error.code === 'RATE_LIMITED' ? undefined : error.message;
  }
}

/** 400 is the answer of a server whose port wants TLS. A registry has `/v2/`, and it is no web page. */
async function problemOf(response: Response): Promise<string | undefined> {
  const { status, headers } = response;
  if (status === 400 || status >= 500) {
    return (await errorFromResponse(response, 'registry API v2', 'NAME_UNKNOWN')).message;
  }
  await discard(response);
  if (status === 404) return 'It answered 404 at /v2/: it is no registry, or its address lacks a path.';
  const isPage = response.ok && /^text\/html\b/i.test(headers.get('content-type') ?? '');
  return isPage ? 'It answered with a web page (text/html) at /v2/: it is no registry.' : undefined;
}
