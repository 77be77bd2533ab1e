import { withDeadline } from '../concurrency/deadline.ts';
import { hasCode, RegistryError } from '../errors.ts';
import { requestPing } from './api/ping.ts';
import type { Credential } from './auth/credential.ts';
import { discard } from './body.ts';
import type { UpstreamClient } from './client.ts';
import { errorFromResponse, isWebPage } from './error-response.ts';

const deadlineMs = 8_000;

/**
 * Pings a registry without a login and then with the account of the proxy, to find an address or a login that is wrong
 * before the first client does.
 * @param credential the account of the proxy; `none` where it has none.
 * @returns the problem in words for the operator; undefined for a registry that answers, also if it wants a login.
 */
export async function registryProblem(
  client: UpstreamClient,
  credential: Credential,
): Promise<string | undefined> {
  return (await addressProblem(client)) ?? (await loginProblem(client, credential));
}

async function addressProblem(client: UpstreamClient): Promise<string | undefined> {
  try {
    return await withDeadline(deadlineMs, undefined, async (signal) =>
      problemOf(await requestPing(client, { credential: { kind: 'none' }, signal })),
    );
  } catch (error) {
    if (!(error instanceof RegistryError)) return `It did not answer within ${deadlineMs / 1000} s.`;
    return error.code === 'UNAUTHORIZED' || error.code === 'RATE_LIMITED' ? undefined : error.message;
  }
}

const refusedLogin =
  "It refuses the proxy's own account (401): check the user name and the password that REGSHIFT_UPSTREAM_AUTH names.";

/** Shows the account to a registry. @returns the refusal in words for the operator; undefined if there is none. */
export async function loginProblem(
  client: UpstreamClient,
  credential: Credential,
): Promise<string | undefined> {
  if (credential.kind === 'none') return undefined;
  try {
    return await withDeadline(deadlineMs, undefined, async (signal) => {
      const response = await requestPing(client, { credential, signal });
      await discard(response);
      return response.status === 401 ? refusedLogin : undefined;
    });
  } catch (error) {
    // A helper without a login, or a token server that fails, has its own line in the log.
    return hasCode(error, 'UNAUTHORIZED') ? error.message : undefined;
  }
}

/** 400 is the answer of a server whose port wants TLS. A registry has `/v2/`, and it is no web page. */
async function problemOf(response: Response): Promise<string | undefined> {
  const { status } = response;
  if (status === 400 || status >= 500) {
    return (await errorFromResponse(response, 'registry API v2', 'NAME_UNKNOWN')).message;
  }
  await discard(response);
  if (status === 404) return 'It answered 404 at /v2/: it is no registry, or its address has a wrong path.';
  const isPage = response.ok && isWebPage(response);
  return isPage ? 'It answered with a web page (text/html) at /v2/: it is no registry.' : undefined;
}
