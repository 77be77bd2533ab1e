import type { RawResponse } from '../raw-http.ts';
import type { Exchange } from './call.ts';
import { textOf } from './call.ts';
import { routePath } from './settings.ts';

/** A fact of a response in which both sides differ. */
export interface Difference {
  /** `status`, the name of a header, or a part of the body: `code`, `message` and `detail` of errors, or `body`. */
  readonly of: string;
  readonly straight: string;
  readonly through: string;
}

const headers = [
  'Content-Type',
  'Docker-Content-Digest',
  'ETag',
  'Location',
  'Range',
  'Content-Range',
  'Accept-Ranges',
  'Link',
  'Docker-Upload-Uuid',
  'Docker-Distribution-Api-Version',
  'Cache-Control',
  'Allow',
  'WWW-Authenticate',
] as const;

/** Compares both responses, without what must differ: addresses and ids of uploads. */
export function differencesOf({ call, straight, through }: Exchange, byPath: boolean): Difference[] {
  const isContent = (call.kind === 'manifest' || call.kind === 'blob') && straight.status < 300;
  const compared = isContent ? [...headers, 'Content-Length'] : headers;
  const facts = (response: RawResponse): [of: string, value: string][] => [
    ['status', String(response.status)],
    ...compared.map((name): [string, string] => [name, headerOf(response, name)]),
    ...bodyOf(response, isContent).map(([of, value]): [string, string] => [
      of,
      withoutBoundary(value, response),
    ]),
  ];
  // A route by a path adds the path to each name of a repository that the registry writes.
  const named = facts(straight).map(([of, value]): [string, string] => [
    of,
    byPath && !(isContent && of === 'body') ? value.replaceAll(/\bs\d+(\/|%2F)/g, routedName) : value,
  ]);
  const [left, right] = [new Map(named), new Map(facts(through))];
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((of) => ({ of, straight: left.get(of) ?? '-', through: right.get(of) ?? '-' }))
    .filter((each) => each.straight !== each.through);
}

const routedName = (name: string, slash: string) => `${routePath}${slash}${name}`;

export function headerOf(response: RawResponse, name: string): string {
  const value = response.header(name);
  if (value === undefined) return '-';
  if (name === 'Docker-Upload-Uuid') return 'an id';
  // docs/caching-and-access.md: no cache may change the bytes, so each response says so.
  if (name === 'Cache-Control')
    return (
      value
        .split(', ')
        .filter((each) => each !== 'no-transform')
        .join(', ') || '-'
    );
  return withoutBoundary(plain(value), response);
}

/** The boundary of parts is a random number. */
function withoutBoundary(text: string, response: RawResponse): string {
  const boundary = /boundary=(\w+)/.exec(response.header('Content-Type') ?? '')?.[1];
  return boundary === undefined ? text : text.replaceAll(boundary, '<boundary>');
}

/** A text without the addresses and ids that differ between the sides. */
export function plain(text: string): string {
  return text
    .replaceAll(/https?:\/\/127\.0\.0\.1:\d+/g, '')
    .replaceAll(/\/blobs\/uploads\/[^/?]+(\?[^>]*)?$/g, '/blobs/uploads/<id>')
    .replaceAll(/_state=[^&"]*/g, '_state');
}

interface ErrorBody {
  readonly errors?: readonly {
    readonly code?: string;
    readonly message?: string;
    readonly detail?: unknown;
  }[];
}

export function errorsIn({ body }: RawResponse): NonNullable<ErrorBody['errors']> {
  try {
    return (JSON.parse(textOf(body)) as ErrorBody).errors ?? [];
  } catch {
    return [];
  }
}

function bodyOf(response: RawResponse, isContent: boolean): [of: string, value: string][] {
  const errors = errorsIn(response);
  const text = textOf(response.body);
  if (errors.length === 0) return [['body', isContent ? text : plain(text).trimEnd()]];
  return [
    ['code', errors.map(({ code }) => code).join()],
    ['message', errors.map(({ message }) => plain(message ?? '')).join('; ')],
    ['detail', plain(JSON.stringify(errors.map(({ detail }) => detail ?? null)))],
  ];
}
