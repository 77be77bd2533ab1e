import type { RawResponse } from '../raw-http.ts';
import type { Call } from './call.ts';
import { errorsIn } from './differences.ts';
import type { Rule } from './rule.ts';

/** The facts of an error that are its words. */
const words = ['Content-Type', 'Cache-Control', 'message', 'detail'] as const;
/** The facts of an error that a page of plain text does not have. */
const pages = [...words, 'code', 'body'] as const;

const isRefusal = ({ status }: RawResponse) => status >= 400 && status < 500;

/** Whether an error has the form of API v2. An error by HEAD has no body. */
function isClear({ method }: Call, through: RawResponse): boolean {
  return (
    method === 'HEAD' ||
    errorsIn(through).every(({ code = '', message = '' }) => code !== '' && message !== '')
  );
}

const isPing = ({ method, path }: Call) => path === '/v2/' && method !== 'GET' && method !== 'HEAD';

function isReadable({ reference = 'latest' }: Call): boolean {
  return /^(\w[\w.-]{0,127}|sha256:[0-9a-f]{64})$/.test(reference);
}

export const errorRules: readonly Rule[] = [
  {
    name: 'words of errors',
    reason:
      'A message of regshift says what failed and what to do, after the words of the registry; an error is never kept by ' +
      'a cache (docs/errors.md). The status and the code are those of the registry.',
    explains: ({ call, straight, through }) =>
      straight.status >= 400 && straight.status === through.status && isClear(call, through) ? words : [],
  },
  {
    name: 'errors instead of pages',
    reason:
      'Go answers an unknown path and an unknown method in plain text; regshift answers with an error of API v2.',
    explains: ({ call, straight, through }) =>
      straight.status === through.status &&
      straight.status >= 400 &&
      errorsIn(straight).length === 0 &&
      isClear(call, through)
        ? [...pages, 'Allow']
        : [],
  },
  {
    name: 'wrong requests',
    reason:
      'regshift refuses a request that no registry can serve before it asks one, and says what is wrong with it: 405 ' +
      'with the methods of the path, 400 with the wrong name or digest. docker-registry answers some of them with 404 or ' +
      '500, or sends the client to the path without its double slash. A method other than GET and HEAD has no meaning at ' +
      '/v2/, where docker-registry answers each.',
    explains: ({ call, straight, through }) =>
      (straight.status >= 300 || isPing(call)) &&
      (isRefusal(through) || call.path === '/v2') &&
      isClear(call, through) &&
      (call.kind === 'other' || !isReadable(call))
        ? [...pages, 'status', 'Allow', 'Location']
        : [],
  },
  {
    name: 'JSON without charset',
    reason: 'RFC 8259 defines no charset for JSON. The types of manifests are those of the registry.',
    explains: ({ call, straight, through }) =>
      call.kind !== 'manifest' &&
      straight.header('Content-Type') === `${through.header('Content-Type')}; charset=utf-8`
        ? ['Content-Type']
        : [],
  },
  {
    name: 'HEAD of lists',
    reason:
      'docker-registry refuses HEAD of its lists. A HEAD at regshift has the status of a GET (RFC 9110, 9.3.2).',
    explains: ({ call, straight }) =>
      call.method === 'HEAD' && (call.kind === 'list' || call.kind === 'other') && straight.status === 405
        ? ['status', 'Content-Type', 'Cache-Control', 'Allow', 'Link']
        : [],
  },
  {
    name: 'nothing to follow',
    reason:
      'A step that follows the manifests of both sides may ask one for a manifest and the other for a blob.',
    explains: ({ call, straightCall, straight, through }) =>
      call.kind !== straightCall.kind && straight.status === 404 && through.status === 404 ? ['code'] : [],
  },
  {
    name: '416',
    reason:
      'Both have no bytes for the range, and name the length of the blob. docker-registry 2.8 says it in plain text.',
    explains: ({ straight, through }) =>
      straight.status === 416 && through.status === 416
        ? ['Content-Type', 'body', 'Content-Length', 'Accept-Ranges']
        : [],
  },
  {
    name: 'headers of 304',
    reason:
      'A 304 of docker-registry has only its version; that of regshift has the headers of the 200, as far as it knows them.',
    explains: ({ straight, through }) =>
      straight.status === 304 && through.status === 304
        ? ['Content-Type', 'Docker-Content-Digest', 'ETag', 'Accept-Ranges']
        : [],
  },
  {
    name: 'If-None-Match: *',
    reason:
      'The condition is false for each manifest that exists (RFC 9110, 13.1.2); docker-registry looks for the text `*`.',
    explains: ({ call, straight, through }) =>
      call.kind === 'manifest' &&
      (call.headers ?? []).some(([name, value]) => name === 'If-None-Match' && value === '*') &&
      straight.status < 500 &&
      through.status === 304
        ? 'all'
        : [],
  },
  {
    name: 'parts that regshift makes',
    reason:
      'Before a manifest, regshift uploads the parts that the registry lacks and regshift can make, like the empty layer ' +
      'of schema 1 (docs/caching-and-access.md). The registry then complains of fewer parts, or of none.',
    async explains({ call, straight, through }) {
      if (call.kind !== 'manifest' || call.method !== 'PUT' || straight.status !== 400) return [];
      const [left, right] = [straight, through].map(errorsIn);
      if (left?.some(({ code }) => code !== 'MANIFEST_BLOB_UNKNOWN')) return [];
      if (through.status === 201) return 'all';
      const isLess = right?.every(({ detail }) => left?.some((each) => each.detail === detail));
      return through.status === 400 && isLess ? ['code'] : [];
    },
  },
  {
    name: 'writes of made content',
    reason:
      'A refused push or deletion of content that regshift makes from another manifest is refused with the digest of that ' +
      'one (docs/errors.md).',
    explains: ({ call, straight, through }) =>
      (call.method === 'PUT' || call.method === 'DELETE') &&
      (straight.status === 400 || straight.status === 404) &&
      errorsIn(through)[0]?.code === 'UNSUPPORTED' &&
      JSON.stringify(errorsIn(through)).includes('regshift makes it from')
        ? 'all'
        : [],
  },
  {
    name: '304 without content',
    reason:
      'docker-registry 2.8 answers 304 to a digest in If-None-Match before it looks whether it has the manifest. regshift ' +
      'answers 404 for a manifest that is gone.',
    async explains({ call, straight, through }, world) {
      if (call.kind !== 'manifest' || straight.status !== 304 || through.status !== 404) return [];
      return (await world.stored(call)).status === 404 ? 'all' : [];
    },
  },
];
