import { mediaTypes } from '../../../converters/media-types.ts';
import { knownClients } from '../../../src/negotiation/known-clients.ts';

export interface TestClient {
  readonly name: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic } = mediaTypes;
const every = [ociManifest, ociIndex, schema2, dockerList, schema1Signed, schema1];

const accepting = (name: string, ...lines: readonly string[]): TestClient => ({
  name,
  headers: lines.map((line) => ['Accept', line] as const),
});

/** Clients without a name in `User-Agent` read what `Accept` says; the others read what their program reads. */
export const clients: readonly TestClient[] = [
  accepting('everything', '*/*'),
  accepting('every type', ...every),
  accepting('every type in one line', every.join(', ')),
  accepting('no Accept'),
  accepting('schema 2', schema2),
  accepting('schema 2 and list', schema2, dockerList),
  accepting('OCI', ociManifest),
  accepting('OCI and its index', ociManifest, ociIndex),
  accepting('schema 1', schema1Signed),
  accepting('list', dockerList),
  accepting('index', ociIndex),
  accepting('generic', generic),
  accepting('JSON', 'application/json'),
  accepting('list q=0', `${dockerList};q=0, ${schema2}`),
  accepting('a browser', 'text/html,application/xhtml+xml,*/*;q=0.8'),
  ...knownClients.map(({ name, userAgent, accept }) => ({
    name,
    headers: [['User-Agent', userAgent] as const, ...accept.map((line) => ['Accept', line] as const)],
  })),
];

export function acceptOf({ headers }: TestClient): string[] {
  return headers
    .filter(([name]) => name === 'Accept')
    .flatMap(([, line]) => line.split(','))
    .map((each) => each.trim());
}

/** Whether a client names a type itself. */
export function names(client: TestClient, type: string | undefined): boolean {
  return type !== undefined && acceptOf(client).includes(type);
}

export function hasProgram({ headers }: TestClient): boolean {
  return headers.some(([name]) => name === 'User-Agent');
}
