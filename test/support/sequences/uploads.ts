import { mediaTypes } from '../../../converters/media-types.ts';
import { type Call, type Calls, nameOf, pathIn, type Side } from './call.ts';
import { blobs, digestsOfBlobs } from './content.ts';

/** The ways of an upload, those that end with a blob first. */
export const uploadWays = [
  'whole',
  'patched',
  'streamed',
  'chunks',
  'in one request',
  'mounted',
  'mounted from nowhere',
  'mounted without from',
  'cancelled',
  'asked about',
  'wrong digest',
  'no digest',
  'another algorithm',
  'chunks out of order',
  'empty end',
  'twice',
] as const;

export interface UploadStep {
  readonly step: 'upload';
  readonly repository: number;
  readonly from: number;
  readonly blob: number;
  readonly way: (typeof uploadWays)[number];
}

const octets = ['Content-Type', mediaTypes.octetStream] as const;
const lengthOf = (body: Uint8Array) => ['Content-Length', String(body.length)] as const;

export function* upload(side: Side, { repository: index, from, blob, way }: UploadStep): Calls {
  const bytes = blobs[blob % blobs.length] as Uint8Array;
  const digest = digestsOfBlobs[blob % blobs.length] as string;
  const repository = nameOf(side, index);
  const uploads = `/v2/${repository}/blobs/uploads/`;
  const call = (method: string, path: string, more: Partial<Call> = {}): Call => ({
    ...{ kind: 'upload', method, path, repository, ...more },
  });
  const send = (method: string, path: string, body: Uint8Array, headers: Call['headers'] = []) =>
    call(method, path, { body, headers: [octets, lengthOf(body), ...headers] });
  const begin = (query = '') => send('POST', `${uploads}${query}`, new Uint8Array());

  if (way === 'mounted') return void (yield begin(`?mount=${digest}&from=${nameOf(side, from)}`));
  if (way === 'mounted from nowhere')
    return void (yield begin(`?mount=${digest}&from=${side.prefix}no/where`));
  if (way === 'mounted without from') return void (yield begin(`?mount=${digest}`));
  if (way === 'in one request') return void (yield send('POST', `${uploads}?digest=${digest}`, bytes));

  const begun = yield begin();
  let location = pathIn(begun.header('Location') ?? `${uploads}none`);
  const end = (named: string | undefined) =>
    named === undefined
      ? location
      : `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(named)}`;
  /** Sends a part, and goes on at the address that the response names. */
  function* part(body: Uint8Array, headers: Call['headers']): Calls {
    const answer = yield send('PATCH', location, body, headers);
    location = pathIn(answer.header('Location') ?? location);
  }
  const range = (start: number, stop: number) => ['Content-Range', `${start}-${stop - 1}`] as const;
  const half = bytes.length >> 1;
  switch (way) {
    case 'cancelled':
      yield call('DELETE', location);
      yield call('GET', location);
      break;
    case 'asked about':
      yield* part(bytes.subarray(0, half), []);
      yield call('GET', location);
      yield call('HEAD', location);
      return;
    case 'patched':
      yield* part(bytes, []);
      yield send('PUT', end(digest), new Uint8Array());
      return;
    case 'streamed':
      yield* streamed(call, location, bytes, (next) => {
        location = next;
      });
      yield send('PUT', end(digest), new Uint8Array());
      return;
    case 'chunks':
      yield* part(bytes.subarray(0, half), [range(0, half)]);
      yield send('PUT', end(digest), bytes.subarray(half), [range(half, bytes.length)]);
      return;
    case 'chunks out of order':
      yield* part(bytes.subarray(0, half), [range(0, half)]);
      yield* part(bytes.subarray(half), [range(half + 5, bytes.length + 5)]);
      yield call('DELETE', location);
      return;
    case 'empty end':
      yield send('PUT', end(digest), new Uint8Array());
      return;
    case 'twice':
      yield send('PUT', end(digest), bytes);
      yield send('PUT', end(digest), bytes);
      return;
    case 'wrong digest':
      yield send('PUT', end(`sha256:${'0'.repeat(64)}`), bytes);
      return;
    case 'no digest':
      yield send('PUT', end(undefined), bytes);
      return;
    case 'another algorithm':
      yield send('PUT', end(`md5:${'0'.repeat(32)}`), bytes);
      return;
    default:
      yield send('PUT', end(digest), bytes);
  }
}

/** A body without a length, as Docker sends it. */
function* streamed(
  call: (method: string, path: string, more: Partial<Call>) => Call,
  location: string,
  bytes: Uint8Array,
  goOn: (location: string) => void,
): Calls {
  const encoder = new TextEncoder();
  const chunk =
    bytes.length === 0 ? [] : [...encoder.encode(`${bytes.length.toString(16)}\r\n`), ...bytes, 13, 10];
  const body = Uint8Array.from([...chunk, ...encoder.encode('0\r\n\r\n')]);
  const answer = yield call('PATCH', location, {
    body,
    headers: [octets, ['Transfer-Encoding', 'chunked']],
  });
  goOn(pathIn(answer.header('Location') ?? location));
}

/** Uploads a blob as programs do most often. */
export function* uploadWhole(side: Side, repository: number, bytes: Uint8Array, digest: string): Calls {
  const name = nameOf(side, repository);
  const uploads = `/v2/${name}/blobs/uploads/`;
  const common = { kind: 'upload', repository: name } as const;
  const begun = yield { ...common, method: 'POST', path: uploads, headers: [['Content-Length', '0']] };
  const location = pathIn(begun.header('Location') ?? `${uploads}none`);
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
  yield { ...common, method: 'PUT', path, body: bytes, headers: [octets, lengthOf(bytes)] };
}
