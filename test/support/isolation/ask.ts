import type { RawResponse } from '../raw-http.ts';
import type { Repository } from './repository.ts';
import type { Upstream } from './world.ts';

export type AskKind =
  | 'manifest'
  | 'blob'
  | 'tags'
  | 'referrers'
  | 'catalog'
  | 'ping'
  | 'token'
  | 'v1-repository'
  | 'v1-image'
  | 'v1-search';

/** One request of one client. */
export interface Ask {
  readonly kind: AskKind;
  readonly upstream: Upstream;
  /** The repository that the request names, if any. */
  readonly repository?: Repository | undefined;
  /** A tag, a digest, or an id of API v1. */
  readonly reference?: string | undefined;
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The user whose right the request carries; undefined without any right. */
  readonly user: number | undefined;
  /** The user whose name the request states, also with a wrong password. */
  readonly says?: number | undefined;
  /** The Authorization of the request, or of the beginning of its pull. */
  readonly authorization?: string | undefined;
  /** Whether an engine sends the request in an ordinary pull, which must succeed with the right. */
  readonly honest: boolean;
  /** Milliseconds after which the client leaves. */
  readonly leavesAfter?: number | undefined;
}

export interface Answered {
  readonly ask: Ask;
  /** Milliseconds of `performance.now()`. */
  readonly start: number;
  readonly end: number;
  /** The response: `cut` when it breaks off, `hung` when it does not come. */
  readonly answer: RawResponse | 'cut' | 'hung';
}

export function describe({ method, path, upstream, user, says }: Ask): string {
  const who =
    user === undefined ? (says === undefined ? 'nobody' : `wrong login of ${says}`) : `user ${user}`;
  return `${who} at ${upstream.index}: ${method} ${path.slice(0, 200)}`;
}
