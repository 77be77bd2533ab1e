import { mediaTypes } from '../../../converters/media-types.ts';
import { childrenOf } from '../sample-tree.ts';
import { type Call, type Calls, isDigestText, nameOf, type Side, textOf } from './call.ts';
import { clients, type TestClient } from './clients.ts';
import { documents, type TestDocument } from './content.ts';
import { nothing } from './manifest-rules.ts';
import { uploadWhole } from './uploads.ts';

export type Target =
  | { readonly by: 'tag'; readonly tag: string }
  | { readonly by: 'digest'; readonly document: number }
  /** The digest of a manifest that was pushed before, in the repository that it was pushed to. */
  | { readonly by: 'pushed'; readonly back: number }
  | { readonly by: 'text'; readonly text: string };

export interface PushStep {
  readonly step: 'push';
  readonly repository: number;
  readonly document: number;
  readonly target: Target;
  /** The content that is uploaded before the manifest. */
  readonly parts: 'all' | 'blobs' | 'none';
  readonly type: 'right' | 'with charset' | 'none' | 'octets' | 'of another';
}

export interface GetStep {
  readonly step: 'get';
  readonly repository: number;
  readonly target: Target;
  readonly client: number;
  readonly method: 'GET' | 'HEAD';
  readonly condition: 'none' | 'of the document' | 'of the last response' | '*';
}

export interface PullStep {
  readonly step: 'pull';
  readonly repository: number;
  readonly tag: string;
  readonly client: number;
}

export interface DeleteStep {
  readonly step: 'delete';
  readonly repository: number;
  readonly target: Target;
}

export interface ReferrersStep {
  readonly step: 'referrers';
  readonly repository: number;
  readonly document: number;
  readonly query: string;
}

export function documentOf(index: number): TestDocument {
  return documents[index % documents.length] as TestDocument;
}

export function clientOf(index: number): TestClient {
  return clients[index % clients.length] as TestClient;
}

/** The repository and the reference that a step is about. */
function found(side: Side, repository: number, target: Target): [repository: number, reference: string] {
  if (target.by === 'tag') return [repository, target.tag];
  if (target.by === 'text') return [repository, target.text];
  if (target.by === 'digest') return [repository, documentOf(target.document).digest];
  const pushed = side.pushed[target.back % Math.max(1, side.pushed.length)];
  return [pushed?.repository ?? repository, documentOf(pushed?.document ?? 0).digest];
}

function manifestCall(side: Side, method: string, repository: number, reference: string): Call {
  const name = nameOf(side, repository);
  return {
    kind: 'manifest',
    method,
    path: `/v2/${name}/manifests/${reference}`,
    repository: name,
    reference,
  };
}

function typeOf({ type, document }: PushStep): string | undefined {
  const { mediaType } = documentOf(document);
  if (type === 'none') return undefined;
  if (type === 'with charset') return `${mediaType}; charset=utf-8`;
  if (type === 'octets') return 'application/octet-stream';
  return type === 'right' ? mediaType : documentOf(document + 1).mediaType;
}

export function* push(side: Side, step: PushStep): Calls {
  const { repository, parts, target } = step;
  const pushed = documentOf(step.document);
  if (parts !== 'none')
    for (const [digest, bytes] of pushed.blobs) yield* uploadWhole(side, repository, bytes, digest);
  const put = (
    { bytes }: Pick<TestDocument, 'bytes'>,
    reference: string,
    type: string | undefined,
  ): Call => ({
    ...manifestCall(side, 'PUT', repository, reference),
    body: bytes,
    headers: [
      ...(type === undefined ? [] : [['Content-Type', type] as const]),
      ['Content-Length', String(bytes.length)],
    ],
  });
  if (parts === 'all') for (const each of pushed.children) yield put(each, each.digest, each.mediaType);
  side.pushed.unshift({ repository, document: step.document });
  // docker-registry 2.8 stores a manifest although it answers 500 to another algorithm.
  const isByDigest = target.by !== 'tag' && (target.by !== 'text' || /^(md5|sha512):/.test(target.text));
  yield put(pushed, isByDigest ? pushed.digest : found(side, repository, target)[1], typeOf(step));
}

export function* get(side: Side, { repository, target, client: index, method, condition }: GetStep): Calls {
  const client = clientOf(index);
  const call = manifestCall(side, method, ...found(side, repository, target));
  const get = (tag?: string): Call => ({
    ...call,
    client,
    headers: [...client.headers, ...(tag === undefined ? [] : [['If-None-Match', tag] as const])],
  });
  if (condition === 'none') return void (yield get());
  if (condition === '*') return void (yield get('*'));
  if (condition === 'of the document') {
    const of = target.by === 'digest' ? target.document : index;
    return void (yield get(`"${documentOf(of).digest}"`));
  }
  const answer = yield get();
  yield get(answer.header('ETag') ?? '"none"');
}

/** The way of a real client: the tag, the digest that the registry named, then all content of the manifest. */
export function* pull(side: Side, { repository, tag, client: index }: PullStep): Calls {
  const client = clientOf(index);
  const name = nameOf(side, repository);
  const first = yield { ...manifestCall(side, 'HEAD', repository, tag), client, headers: client.headers };
  const named = first.header('Docker-Content-Digest');
  const reference = isDigestText(named) ? named : tag;
  const second = yield {
    ...manifestCall(side, 'GET', repository, reference),
    client,
    headers: client.headers,
  };
  // A fat generic manifest names its images as it names layers, and only an index is followed to images.
  const isFat = textOf(second.body).includes(mediaTypes.genericFatTarget);
  const children = second.status === 200 && !isFat ? childrenOf(second.body) : [];
  const isIndex = textOf(second.body).includes('"manifests"');
  for (const at of [0, 1, 2, 3]) {
    const child = children[at] ?? nothing;
    if (isIndex) yield { ...manifestCall(side, 'GET', repository, child), client, headers: client.headers };
    else
      yield {
        kind: 'blob',
        method: 'GET',
        path: `/v2/${name}/blobs/${child}`,
        repository: name,
        reference: child,
      };
  }
}

export function* remove(side: Side, { repository, target }: DeleteStep): Calls {
  yield manifestCall(side, 'DELETE', ...found(side, repository, target));
}

export function* referrers(side: Side, { repository, document, query }: ReferrersStep): Calls {
  const name = nameOf(side, repository);
  const path = `/v2/${name}/referrers/${documentOf(document).digest}${query}`;
  yield { kind: 'list', method: 'GET', path, repository: name };
}
