import type { RepositoryName } from '../../../converters/reference.ts';
import { refuseEncoded } from '../body.ts';
import type { UpstreamClient } from '../client.ts';
import { errorFromResponse } from '../error-response.ts';
import type { ApiContext } from '../request-context.ts';
import { nextQuery } from './link.ts';

/** A document of upstream's own that a client reads as it is, such as the referrers of a manifest. */
export interface RelayedRead {
  readonly method: 'HEAD' | 'GET';
  /** Path and query below the base URL, beginning with /v2/. */
  readonly path: string;
  /** undefined for a document of the whole registry. */
  readonly repository: RepositoryName | undefined;
  /** The client's own value; undefined for none. */
  readonly accept: string | undefined;
  /** The name of the document in messages, like `referrers of team/app`. */
  readonly what: string;
}

export interface RelayedPage {
  /** Any status but 401: a registry without the endpoint answers 404. */
  readonly response: Response;
  /** The query of the next page; undefined after the last one. */
  readonly next: string | undefined;
}

/**
 * Asks upstream for a document that is passed on.
 * @throws RegistryError UNAUTHORIZED with upstream's challenge; as `refuseEncoded`.
 */
export async function relayRead(
  client: UpstreamClient,
  { method, path, repository, accept, what }: RelayedRead,
  { credential, budget, signal }: ApiContext,
): Promise<RelayedPage> {
  const headers = accept === undefined ? {} : { accept };
  const subject = repository === undefined ? {} : { repository };
  const { response } = await client.request({
    method,
    path,
    ...subject,
    credential,
    budget,
    headers,
    signal,
  });
  if (response.status === 401) throw await errorFromResponse(response, what, 'NAME_UNKNOWN');
  if (response.ok) await refuseEncoded(response, `the ${what}`);
  return { response, next: nextQuery(response.headers.get('link')) };
}
