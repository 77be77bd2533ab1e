import type { Answered, AskKind } from './ask.ts';

const reads: readonly AskKind[] = ['manifest', 'blob', 'tags', 'referrers'];

/**
 * Whether a client without a login has got the registry's refusal to everyone, so that the proxy knows it. While the
 * registry fails, the response may be that to a HEAD, which no GET has confirmed, or to a token that no new one has
 * replaced. A HEAD for referrers is sent on as it is.
 */
export function isFinalRefusal({ ask, answer, start, end }: Answered): boolean {
  const { kind, method, repository, authorization, upstream } = ask;
  if (typeof answer === 'string' || !repository || authorization !== undefined) return false;
  if (!reads.includes(kind) || (kind === 'referrers' && method === 'HEAD')) return false;
  if (answer.status !== 401 && answer.status !== 403) return false;
  return !upstream.flaps.failedIn(repository.options.index, start - 1_000, end);
}
