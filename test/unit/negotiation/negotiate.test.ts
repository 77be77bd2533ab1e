import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import { readAccept } from '../../../src/negotiation/accept.ts';
import {
  type ClientCapabilities,
  capabilitiesOf,
  noTagLimits,
  type TagLimits,
} from '../../../src/negotiation/capabilities.ts';
import { describeClient } from '../../../src/negotiation/client-profile.ts';
import { limitedCapabilities } from '../../../src/negotiation/client-rule.ts';
import { type ManifestInfo, negotiate, type Pin } from '../../../src/negotiation/negotiate.ts';
import type { StoredEntry } from '../../../src/negotiation/stored-entries.ts';
import { type HeaderLine, manifestRequestHeaders } from '../../support/old-clients.ts';

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic } = mediaTypes;

function readsOf(lines: readonly HeaderLine[]): ClientCapabilities {
  const valuesOf = (name: string) => lines.filter(([each]) => each === name).map(([, value]) => value);
  const { profile } = describeClient(valuesOf('User-Agent')[0]);
  return capabilitiesOf(readAccept(valuesOf('Accept').join(', ')), profile);
}

const clients = {
  'Docker 1.9.1': readsOf(manifestRequestHeaders['Docker 1.9.1']),
  'Docker 1.13.1': readsOf(manifestRequestHeaders['Docker 1.13.1']),
  'Docker 19.03.3': readsOf(manifestRequestHeaders['Docker 19.03.3']),
  'Docker 20.10': readsOf(manifestRequestHeaders['Docker 20.10']),
  skopeo: readsOf(manifestRequestHeaders.skopeo),
  containerd: readsOf(manifestRequestHeaders['containerd HEAD']),
  'curl */*': readsOf([['Accept', '*/*']]),
  'curl application/json': readsOf([['Accept', 'application/json']]),
  'only schema 1': readsOf([['Accept', schema1]]),
  'only OCI': readsOf([['Accept', ociManifest]]),
  'only lists': readsOf([['Accept', dockerList]]),
  'only generic': readsOf([['Accept', generic]]),
  'Docker 26, silent': readsOf([['User-Agent', 'docker/26.0.0']]),
} as const;
type Client = keyof typeof clients;

const image = (mediaType: string, rest: Partial<ManifestInfo> = {}): ManifestInfo => ({
  mediaType,
  entries: undefined,
  zstd: false,
  dockerZstdType: false,
  singleFamily: true,
  ...rest,
});

const entry = (mediaType: string, attestation = false): StoredEntry => ({
  mediaType,
  digest: digestOf(new Uint8Array()),
  platform: undefined,
  attestation,
  zstd: false,
});
const index = (mediaType: string, ...entries: StoredEntry[]): ManifestInfo => ({
  ...image(mediaType),
  entries,
});

const stored = {
  'signed schema 1': image(schema1Signed),
  'unsigned schema 1': image(schema1),
  'schema 2': image(schema2),
  'schema 2 with OCI types inside': image(schema2, { singleFamily: false }),
  'schema 2 without mediaType': image(schema2, { singleFamily: false, untyped: true }),
  'schema 2, zstd': image(schema2, { zstd: true }),
  OCI: image(ociManifest),
  'OCI, zstd': image(ociManifest, { zstd: true }),
  generic: image(generic),
  'a foreign document': image('application/vnd.example+json'),
  'a list': index(dockerList, entry(schema2), entry(schema2)),
  'a list without mediaType': { ...index(dockerList, entry(schema2)), untyped: true },
  'a list of schema 1': index(dockerList, entry(schema1Signed)),
  'a list of OCI alone': index(dockerList, entry(ociManifest)),
  'a list of OCI': index(dockerList, entry(schema2), entry(ociManifest)),
  'an OCI index': index(ociIndex, entry(ociManifest), entry(ociManifest, true)),
  'an OCI index of schema 2': index(ociIndex, entry(schema2)),
  'an index of artifacts': {
    ...index(ociIndex, entry('application/vnd.example+json')),
    ofNoImages: true,
  },
  'both compressions': index(
    ociIndex,
    { ...entry(ociManifest), platform: { os: 'linux', architecture: 'amd64' } },
    { ...entry(ociManifest), platform: { os: 'linux', architecture: 'amd64' }, zstd: true },
  ),
  'fat generic': index(generic, entry(mediaTypes.dockerConfig)),
} as const;
type Stored = keyof typeof stored;

/** The selection in a word: the form converted to, with `list` before it for an index. */
function decisionOf(what: Stored, client: Client, pin: Pin = 'auto'): string {
  const selection = negotiate(stored[what], clients[client], pin);
  if (selection.kind === 'image') return selection.form;
  return selection.kind === 'index' ? `list ${selection.form}` : selection.kind;
}

const auto: readonly [Stored, Partial<Record<Client, string>>][] = [
  ['signed schema 1', { 'Docker 1.9.1': 'stored', 'Docker 20.10': 'stored', containerd: 'schema2' }],
  ['unsigned schema 1', { 'curl */*': 'stored', 'only OCI': 'oci', containerd: 'schema2' }],
  ['schema 2', { 'Docker 1.9.1': 'schema1', 'Docker 1.13.1': 'stored', 'Docker 20.10': 'stored' }],
  ['schema 2', { 'curl application/json': 'schema1', 'only schema 1': 'schema1', 'only OCI': 'oci' }],
  ['schema 2', { 'curl */*': 'stored', 'only lists': 'schema1', 'only generic': 'generic' }],
  ['schema 2', { 'Docker 26, silent': 'refuse' }],
  ['schema 2 with OCI types inside', { 'Docker 1.13.1': 'schema2', 'Docker 20.10': 'stored' }],
  [
    'schema 2 without mediaType',
    { 'Docker 1.13.1': 'schema2', 'Docker 20.10': 'schema2', skopeo: 'schema2' },
  ],
  ['schema 2 without mediaType', { containerd: 'stored', 'curl */*': 'stored' }],
  ['schema 2, zstd', { 'Docker 1.13.1': 'schema2', 'Docker 20.10': 'schema2', skopeo: 'stored' }],
  ['OCI', { 'Docker 1.9.1': 'schema1', 'Docker 1.13.1': 'schema2', 'Docker 19.03.3': 'schema2' }],
  ['OCI', { 'Docker 20.10': 'stored', skopeo: 'stored', containerd: 'stored', 'curl */*': 'stored' }],
  ['OCI, zstd', { 'Docker 20.10': 'oci', 'Docker 1.13.1': 'schema2', 'Docker 1.9.1': 'schema1' }],
  ['OCI, zstd', { skopeo: 'stored', containerd: 'stored', 'curl */*': 'stored' }],
  ['generic', { 'Docker 1.9.1': 'schema1', 'Docker 20.10': 'schema2', 'only OCI': 'oci' }],
  ['generic', { 'only generic': 'stored', 'curl */*': 'stored' }],
  ['a foreign document', { 'curl */*': 'stored' }],
  ['a list', { 'Docker 1.9.1': 'choose', 'Docker 1.13.1': 'stored', 'Docker 20.10': 'stored' }],
  ['a list', { 'only OCI': 'choose', 'only lists': 'stored', 'curl */*': 'stored' }],
  [
    'a list without mediaType',
    { 'Docker 20.10': 'list schema2', 'Docker 1.13.1': 'stored', skopeo: 'stored' },
  ],
  ['a list without mediaType', { containerd: 'stored', 'only lists': 'stored' }],
  ['a list of schema 1', { 'Docker 1.13.1': 'stored', containerd: 'list schema2' }],
  ['a list of OCI', { 'Docker 1.13.1': 'list schema2', 'Docker 20.10': 'stored' }],
  ['an OCI index', { 'Docker 1.9.1': 'choose', 'Docker 1.13.1': 'list schema2', skopeo: 'stored' }],
  ['an OCI index', { 'Docker 19.03.3': 'list schema2', 'Docker 20.10': 'stored', containerd: 'stored' }],
  ['an OCI index', { 'only lists': 'list schema2' }],
  ['an OCI index of schema 2', { 'Docker 1.13.1': 'list schema2', 'Docker 20.10': 'stored' }],
  ['an index of artifacts', { 'Docker 20.10': 'stored', 'Docker 1.13.1': 'list schema2' }],
  ['fat generic', { 'Docker 1.9.1': 'choose', 'Docker 20.10': 'list schema2', 'only OCI': 'choose' }],
  ['fat generic', { 'curl */*': 'stored' }],
];

describe('a manifest that regshift cannot read', () => {
  const of = (mediaType: string, client: Client, pin: Pin = 'auto') =>
    negotiate(image(mediaType, { opaque: true }), clients[client], pin);

  it('goes as it is to a client that names types and takes any other one', () => {
    expect(of('application/vnd.test.unknown', 'containerd')).toMatchObject({
      kind: 'stored',
      because: 'has-no-other-form',
    });
    expect(of('application/vnd.test.unknown', 'only OCI').kind).not.toBe('stored');
  });

  it('goes as it is to a client that names its type, also if it is unsigned schema 1', () => {
    expect(of(schema1, 'only schema 1')).toEqual({ kind: 'stored', because: 'reads-it' });
  });

  it.each(['auto', 'oci'] as const)(
    'does not if it is schema 1, which the client would refuse: %s',
    (pin) => {
      expect(of(schema1Signed, 'containerd', pin).kind).not.toBe('stored');
      expect(of(schema1Signed, 'curl */*', pin).kind).toBe('stored');
    },
  );
});

describe('on a route that is not pinned', () => {
  const cases = auto.flatMap(([what, row]) =>
    Object.entries(row).map(([client, decision]) => ({ what, client: client as Client, decision })),
  );
  it.each(cases)('$what → $client: $decision', ({ what, client, decision }) => {
    expect(decisionOf(what, client)).toBe(decision);
  });
});

const pinned: readonly [Pin, Stored, Partial<Record<Client, string>>][] = [
  ['schema1', 'signed schema 1', { 'Docker 1.9.1': 'stored', 'Docker 20.10': 'stored' }],
  ['schema1', 'OCI', { 'Docker 1.9.1': 'schema1', 'Docker 20.10': 'schema1', 'curl */*': 'schema1' }],
  ['schema1', 'a list', { 'Docker 20.10': 'choose', 'curl */*': 'choose' }],
  ['schema2', 'schema 2', { 'Docker 1.9.1': 'stored', skopeo: 'stored' }],
  ['schema2', 'schema 2, zstd', { 'Docker 1.13.1': 'schema2', skopeo: 'stored' }],
  ['schema2', 'an OCI index', { 'Docker 1.9.1': 'choose', 'Docker 1.13.1': 'list schema2' }],
  ['schema2', 'a list', { 'Docker 1.13.1': 'stored', 'curl */*': 'stored' }],
  ['schema2', 'a list of OCI', { 'Docker 20.10': 'list schema2' }],
  ['oci', 'schema 2', { 'Docker 1.9.1': 'oci', 'Docker 20.10': 'oci' }],
  ['oci', 'an OCI index', { 'Docker 20.10': 'stored', 'Docker 1.13.1': 'choose' }],
  ['oci', 'a list', { 'Docker 20.10': 'list oci', 'curl */*': 'list oci' }],
  ['oci', 'a list of OCI alone', { 'Docker 20.10': 'list oci', 'curl */*': 'list oci' }],
  ['generic', 'generic', { 'Docker 1.9.1': 'stored' }],
  ['generic', 'fat generic', { 'Docker 1.9.1': 'stored' }],
  ['generic', 'schema 2', { 'Docker 20.10': 'generic' }],
];

describe('on a route that is pinned', () => {
  const cases = pinned.flatMap(([pin, what, row]) =>
    Object.entries(row).map(([client, decision]) => ({ pin, what, client: client as Client, decision })),
  );
  it.each(cases)('$pin: $what → $client: $decision', ({ pin, what, client, decision }) => {
    expect(decisionOf(what, client, pin)).toBe(decision);
  });
});

describe('the capabilities of a client', () => {
  it('that names nothing: schema 1 of both kinds, and no zstd', () => {
    expect([...clients['Docker 1.9.1'].types.keys()]).toEqual([schema1, schema1Signed]);
    expect(clients['Docker 1.9.1'].zstd).toBe(false);
    expect(readsOf([]).zstd).toBe(false);
  });

  it('that names one kind of schema 1: both kinds', () => {
    expect([...readsOf([['Accept', schema1Signed]]).types.keys()]).toContain(schema1);
  });

  it('do not include a named type that the client is known not to read', () => {
    expect([...clients['Docker 19.03.3'].types.keys()]).not.toContain(ociManifest);
    const docker26 = readsOf([
      ['User-Agent', 'docker/26.0.0'],
      ['Accept', `${schema2}, ${schema1Signed}`],
    ]);
    expect([...docker26.types.keys()]).toEqual([schema2]);
  });
});

describe('within the limits of an operator', () => {
  const limited = (client: Client, limits: Partial<TagLimits>) =>
    limitedCapabilities(clients[client], { ...noTagLimits, ...limits });

  it.each<[Partial<TagLimits>, Stored, Partial<Record<Client, string>>, Pin?]>([
    [{ noAttestations: true }, 'an OCI index', { skopeo: 'list oci: no-attestations' }],
    [{ noAttestations: true }, 'an OCI index', { 'curl */*': 'list oci: no-attestations' }],
    [{ noAttestations: true }, 'an OCI index', { skopeo: 'list oci: no-attestations' }, 'oci'],
    [{ noAttestations: true }, 'an OCI index', { 'Docker 1.13.1': 'list schema2: reads-nearest' }],
    [{ noAttestations: true }, 'an OCI index', { 'Docker 1.9.1': 'choose: reads-no-index' }],
    [{ noAttestations: true }, 'a list', { 'Docker 20.10': 'stored: reads-it' }],
    [{ noAttestations: true }, 'OCI', { skopeo: 'stored: reads-it' }],
    [{ oneImage: true }, 'an OCI index', { skopeo: 'choose: index-one', 'curl */*': 'choose: index-one' }],
    [{ oneImage: true }, 'a list', { 'Docker 1.9.1': 'choose: index-one' }, 'schema2'],
    [{ oneImage: true }, 'an index of artifacts', { 'Docker 20.10': 'stored: reads-it' }],
    [{ oneImage: true }, 'OCI', { skopeo: 'stored: reads-it', 'curl */*': 'stored: takes-anything' }],
    [{ noZstd: true }, 'OCI, zstd', { skopeo: 'oci: zstd-layers', 'curl */*': 'oci: zstd-layers' }],
    [{ noZstd: true }, 'OCI', { skopeo: 'stored: reads-it', 'curl */*': 'stored: takes-anything' }],
    [{ noZstd: true }, 'both compressions', { skopeo: 'list oci: zstd-inside' }],
    [{ noZstd: true }, 'both compressions', { 'curl */*': 'list oci: zstd-inside' }],
    [{ noZstd: true }, 'both compressions', { skopeo: 'list oci: zstd-inside' }, 'oci'],
    [{}, 'both compressions', { skopeo: 'stored: reads-it', 'Docker 20.10': 'stored: reads-it' }],
  ])('%o, %s: %o', (limits, what, row, pin = 'auto') => {
    for (const [client, expected] of Object.entries(row)) {
      const selection = negotiate(stored[what], limited(client as Client, limits), pin);
      const form = 'form' in selection ? selection.form : selection.kind;
      expect(`${selection.kind === 'index' ? 'list ' : ''}${form}: ${selection.because}`).toBe(expected);
    }
  });
});
