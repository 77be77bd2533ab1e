import { type Calls, nameOf, pathIn, type Side } from './call.ts';
import { digestsOfBlobs } from './content.ts';

export interface BlobStep {
  readonly step: 'blob';
  readonly repository: number;
  readonly blob: number;
  readonly method: 'GET' | 'HEAD' | 'DELETE';
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface TagsStep {
  readonly step: 'tags';
  readonly repository: number;
  readonly query: string;
  readonly method: 'GET' | 'HEAD';
}

export interface CatalogStep {
  readonly step: 'catalog';
  readonly query: string;
}

/** A request that is wrong, or names no repository. `{}` is the name of a repository. */
export interface OddStep {
  readonly step: 'odd';
  readonly method: string;
  readonly path: string;
  readonly repository: number;
}

export function* blob(side: Side, { repository, blob: index, method, headers }: BlobStep): Calls {
  const name = nameOf(side, repository);
  const reference = digestsOfBlobs[index % digestsOfBlobs.length] as string;
  yield {
    kind: 'blob',
    method,
    path: `/v2/${name}/blobs/${reference}`,
    repository: name,
    reference,
    headers,
  };
}

export function* tags(side: Side, { repository, query, method }: TagsStep): Calls {
  const name = nameOf(side, repository);
  const answer = yield { kind: 'list', method, path: `/v2/${name}/tags/list${query}`, repository: name };
  // The next page is a step of both sides, or of none.
  const next = /<([^>]*)>/.exec(answer.header('Link') ?? '')?.[1];
  const path = pathIn(next ?? `/v2/${name}/tags/list?n=2&last=latest`);
  yield { kind: 'list', method: 'GET', path, repository: name };
}

export function* catalog(_: Side, { query }: CatalogStep): Calls {
  yield { kind: 'catalog', method: 'GET', path: `/v2/_catalog${query}` };
}

export function* odd(side: Side, { method, path, repository }: OddStep): Calls {
  const headers = method === 'GET' || method === 'HEAD' ? [] : [['Content-Length', '0'] as const];
  yield { kind: 'other', method, path: path.replace('{}', nameOf(side, repository)), headers };
}
