import { describe, expect, it } from 'vitest';
import { formName } from '../../src/negotiation/format-names.ts';
import { type KnownClient, knownClients } from '../../src/negotiation/known-clients.ts';
import { testApp } from '../support/app.ts';
import { builderShapes } from '../support/builder-shapes.ts';
import { builtRepository, layerWith } from '../support/built-repository.ts';
import type { HeaderLine } from '../support/old-clients.ts';
import { type PullHeaders, pullChecked } from '../support/pull-checked.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { sha256Of } from '../support/sha256.ts';

/** The clients of the columns below; Docker up to 1.5 pulls by registry API v1. */
const clients = knownClients.filter(({ id }) => id !== 'docker-1.5');

const columns = [
  ...[
    'docker-1.9',
    'docker-1.13',
    'docker-18.09',
    'docker-19.03.3',
    'docker-20.10',
    'docker-24',
    'docker-28',
  ],
  ...['containerd-1.6', 'containerd-2', 'dockerstore', 'buildkit-0.8', 'buildkit-0.12'],
  ...['skopeo', 'crane', 'watchtower'],
];

/**
 * The form in which each client gets each shape. `=`: as it is stored; 1: schema 1; 2: schema 2; o: OCI; l: manifest
 * list; i: OCI index; -: 404 UNSUPPORTED. The columns are Docker, containerd and its embedders, and all others.
 */
const expected: Readonly<Record<string, string>> = {
  kaniko: '1====== ===== ===',
  jib: '1====== ===== ===',
  ko: '1l=l=== ===== ===',
  Nix: '12=2=== ===== ===',
  apko: '1l=l=== ===== ===',
  rules_oci: '1l=l=== ===== ===',
  buildpacks: '1====== ===== ===',
  'a list with Windows': '1====== ===== ===',
  wasm: '--=-=== ===== ===',
  'a chart': '--=-=== ===== ===',
  estargz: '12=2=== ===== ===',
  'zstd:chunked': '12o2o== ===o= ===',
  'zstd of several frames': '12o2o== ===o= ===',
  'gzip of several members': '12=2=== ===== ===',
  'no layers': '12=2=== ===== ===',
  '2 MB of annotations': '12=2=== ===== ===',
  nested: '1liliii ===== i==',
  'a cache index': '--=-=== ===== ===',
  'a subject': '12=2=== ===== ===',
  'sha512 digests': '12=2=== ===== ===',
  'an index by sha512': '1l=l=== ===== ===',
  'an index by sha512 of zstd layers': '1lili== ===i= ===',
  attestations: '1l=l=== ===== ===',
  'attestations with a subject': '1l=l=== ===== ===',
  'schema 2 with Docker’s zstd type': '12222== ooo2= o==',
  'schema 2 with a config of type "application/json"': '1====== ===== ===',
  'schema 2 with a config of type "text/html"': '1====== ===== ===',
  'schema 2 with a config of type ""': '1====== ===== ===',
  'schema 2 without mediaType': '12=2222 ===== 2==',
  'a list without mediaType': '1==llll ===== ===',
  'schema 2 with OCI types': '12=2=== ===== 2==',
  'both compressions': '1lili== ===i= ===',
};

const keys: Readonly<Record<string, string>> = {
  ...{ schema1: '1', schema2: '2', oci: 'o', list: 'l', 'oci-index': 'i', '404 UNSUPPORTED': '-' },
};

function headersOf({ userAgent, accept, program }: KnownClient): PullHeaders {
  const agent: HeaderLine = [
    'User-Agent',
    program === 'docker' ? `${userAgent} os/linux arch/amd64` : userAgent,
  ];
  const byTag = [agent, ...accept.map((type): HeaderLine => ['Accept', type])];
  const namesTypeFound = accept.includes('*/*');
  return { byTag, byDigest: (type) => (namesTypeFound ? [agent, ['Accept', `${type}, */*`]] : byTag) };
}

it('the columns are the known clients', () => {
  expect(clients.map(({ id }) => id)).toEqual(columns);
  expect(builderShapes.map(({ name }) => name)).toEqual(Object.keys(expected));
});

describe.each(builderShapes)('an image in the shape of $name', ({ name, add, files }) => {
  it('reaches each client in a form that it reads, with every digest, size and diffID right', async () => {
    const forms: string[] = [];
    for (const client of clients) {
      const built = builtRepository('team/app');
      const root = add(built);
      const app = testApp({}, scriptedUpstream(built.serve(root)).fetch);
      const pulled = await pullChecked(app, 'team/app', headersOf(client));
      if ('refused' in pulled) {
        forms.push(keys[pulled.refused] ?? pulled.refused);
        continue;
      }
      forms.push(pulled.digest === root.digest ? '=' : (keys[formName(pulled.mediaType)] ?? '?'));
      const found = pulled.tars && (await Promise.all(pulled.tars.map(sha256Of)));
      expect({ client: client.id, layers: found }).toEqual({
        client: client.id,
        layers: files?.map((file) => layerWith(file).diffId),
      });
    }
    expect(forms.join('')).toBe(expected[name]?.replaceAll(' ', ''));
  });
});
