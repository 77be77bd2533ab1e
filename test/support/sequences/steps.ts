import fc, { type Arbitrary } from 'fast-check';
import type { Calls, Side } from './call.ts';
import { clients } from './clients.ts';
import { blobs, documents } from './content.ts';
import {
  type BlobStep,
  blob,
  type CatalogStep,
  catalog,
  type OddStep,
  odd,
  type TagsStep,
  tags,
} from './lists.ts';
import {
  type DeleteStep,
  type GetStep,
  get,
  type PullStep,
  type PushStep,
  pull,
  push,
  type ReferrersStep,
  referrers,
  remove,
  type Target,
} from './manifests.ts';
import { type UploadStep, upload, uploadWays } from './uploads.ts';

/** One act of a client, of one request or of a few. */
export type Step = { readonly replica: number } & (
  | UploadStep
  | PushStep
  | GetStep
  | PullStep
  | DeleteStep
  | ReferrersStep
  | BlobStep
  | TagsStep
  | CatalogStep
  | OddStep
);

export function callsOf(side: Side, step: Step): Calls {
  switch (step.step) {
    case 'upload':
      return upload(side, step);
    case 'push':
      return push(side, step);
    case 'get':
      return get(side, step);
    case 'pull':
      return pull(side, step);
    case 'delete':
      return remove(side, step);
    case 'referrers':
      return referrers(side, step);
    case 'blob':
      return blob(side, step);
    case 'tags':
      return tags(side, step);
    case 'catalog':
      return catalog(side, step);
    case 'odd':
      return odd(side, step);
  }
}

const below = (limit: number) => fc.nat({ max: limit - 1 });
const repository = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: below(3) });
const document = below(documents.length);
const client = below(clients.length);
const replica = below(2);
const tag = fc.constantFrom('latest', 'latest', 'latest', '1.0', 'v2');

/** Tags of every kind, those that images have first. */
const target: Arbitrary<Target> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ by: fc.constant('tag' as const), tag }) },
  { weight: 4, arbitrary: fc.record({ by: fc.constant('pushed' as const), back: below(3) }) },
  { weight: 1, arbitrary: fc.record({ by: fc.constant('digest' as const), document }) },
  {
    weight: 1,
    arbitrary: fc.record({
      by: fc.constant('text' as const),
      text: fc.constantFrom(
        'none',
        `sha256:${'0'.repeat(64)}`,
        '-x',
        `md5:${'0'.repeat(32)}`,
        `sha512:${'0'.repeat(128)}`,
        'a'.repeat(129),
        `sha256-${'0'.repeat(64)}.sig`,
      ),
    }),
  },
);

const range = fc.constantFrom(
  'bytes=0-3',
  'bytes=2-',
  'bytes=-4',
  'bytes=0-0',
  'bytes=0-999999',
  'bytes=999999-',
  'bytes=5-2',
  'bytes=0-1,3-4',
  'bytes=x',
  'lines=0-1',
);
const blobHeaders = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: range.map((value) => [['Range', value] as const]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('*', '"x"').map((value) => [['If-None-Match', value] as const]),
  },
  { weight: 1, arbitrary: range.map((value) => [['Range', value] as const, ['If-Range', '"x"'] as const]) },
);
const listQuery = fc.constantFrom(
  '',
  '?n=1',
  '?n=2',
  '?n=0',
  '?n=-1',
  '?n=x',
  '?last=1.0',
  '?n=1&last=latest',
  '?n=100000',
);

const oddStep = fc.record({
  step: fc.constant('odd' as const),
  ...{ repository, replica },
  ...{ method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE') },
  path: fc.constantFrom(
    '/v2/',
    '/v2',
    '/v2/{}',
    '/v2/{}/tags',
    '/v2/{}/tags/list',
    '/v2/{}/manifests/latest/x',
    '/v2/{}/manifests/a b',
    '/v2/{}/blobs/sha256:0',
    '/v2/{}/blobs/latest',
    '/v2/{}/blobs/uploads/none',
    '/v2/{}/blobs/uploads/00000000-0000-0000-0000-000000000000',
    '/v2/{}/blobs/uploads/?digest=sha256:0',
    '/v2/{}/_trust/tuf/root.json',
    '/v2/UPPER/tags/list',
    '/v2/{}//x/tags/list',
    '/v2/a/../b/tags/list',
    '/v2/_catalog',
    '/v2/no/where/tags/list',
    '/v2/no/where/manifests/latest',
  ),
});

const pushStep = fc.record({
  step: fc.constant('push'),
  ...{ repository, document, target, replica },
  parts: fc.oneof(
    { weight: 8, arbitrary: fc.constant('all') },
    { weight: 1, arbitrary: fc.constantFrom('blobs', 'none') },
  ),
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constant('right') },
    { weight: 1, arbitrary: fc.constantFrom('with charset', 'none', 'octets', 'of another') },
  ),
});

const steps: readonly { readonly weight: number; readonly arbitrary: Arbitrary<unknown> }[] = [
  { weight: 6, arbitrary: pushStep },
  {
    weight: 8,
    arbitrary: fc.record({
      step: fc.constant('get'),
      ...{ repository, target, client, replica },
      method: fc.constantFrom('GET', 'HEAD'),
      condition: fc.oneof(
        { weight: 5, arbitrary: fc.constant('none') },
        { weight: 1, arbitrary: fc.constantFrom('of the document', 'of the last response', '*') },
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ step: fc.constant('pull'), repository, tag, client, replica }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('delete'), repository, target, replica }) },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('upload'),
      ...{ repository, from: repository, blob: below(blobs.length), replica },
      way: fc.constantFrom(...uploadWays),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('blob'),
      ...{ repository, blob: below(blobs.length), replica },
      method: fc.constantFrom('GET', 'HEAD', 'GET', 'HEAD', 'DELETE'),
      headers: blobHeaders,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant('tags'),
      ...{ repository, query: listQuery, replica },
      method: fc.constantFrom('GET', 'GET', 'HEAD'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant('referrers'),
      ...{ repository, document, replica },
      query: fc.constantFrom('', '?artifactType=text/plain', '?n=1'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant('catalog'),
      query: fc.constantFrom('?n=1000', '?n=1', '?n=2'),
      replica,
    }),
  },
  { weight: 2, arbitrary: oddStep },
];

/** Steps after a few pushes, so that most requests are about something. */
export const anySteps = fc
  .tuple(
    fc.array(pushStep, { maxLength: 4, size: 'max' }),
    fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 30, size: 'max' }),
  )
  .map(([pushes, others]) => [...pushes, ...others]) as Arbitrary<Step[]>;
