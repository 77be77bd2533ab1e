import { mediaTypes } from '../../converters/media-types.ts';

export type HeaderLine = readonly [name: string, value: string];

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex, json: plainJson } = mediaTypes;

/** Go writes the headers that its transport adds after the program's own, which it sorts by name. */
const goTransport: readonly HeaderLine[] = [
  ['Accept-Encoding', 'gzip'],
  ['Connection', 'close'],
];

function accept(...types: readonly string[]): HeaderLine[] {
  return types.map((type) => ['Accept', type] as const);
}

function docker(userAgent: string, ...types: readonly string[]): readonly HeaderLine[] {
  return [['User-Agent', userAgent], ...accept(...types), ...goTransport];
}

/** Docker sends these in the random order of a Go map: no test may depend on it. */
const dockerFrom110 = [schema2, dockerList, schema1Signed, plainJson];
const dockerFrom1903 = [...dockerFrom110, ociManifest, ociIndex];

/**
 * The headers of a manifest request, after Host, as each client writes them. Those of
 * skopeo and containerd were recorded from skopeo 1.9.3 and ctr 1.6.20.
 */
export const manifestRequestHeaders = {
  'Docker 1.6.2': docker('docker/1.6.2 go/go1.4.2 git-commit/7c8fca2 kernel/4.9.0 os/linux arch/amd64'),
  'Docker 1.9.1': docker('docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.9.0 os/linux arch/amd64'),
  'Docker 1.9.1 on arm': docker('docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.9.0 os/linux arch/arm'),
  'Docker 1.13.1': docker(
    'docker/1.13.1 go/go1.7.5 git-commit/092cba3 kernel/4.9.0 os/linux arch/amd64 UpstreamClient(Docker-Client/1.13.1 \\(linux\\))',
    ...dockerFrom110,
  ),
  'Docker 19.03.3': docker(
    'docker/19.03.3 go/go1.12.10 git-commit/a872fc2f86 kernel/5.4.0 os/linux arch/amd64 UpstreamClient(Docker-Client/19.03.3 \\(linux\\))',
    ...dockerFrom1903,
  ),
  'Docker 20.10': docker(
    'docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1.0 os/linux arch/amd64 UpstreamClient(Docker-Client/20.10.24+dfsg1 \\(linux\\))',
    ...dockerFrom1903,
  ),
  skopeo: [
    ['User-Agent', 'skopeo/1.9.3'],
    ...accept(ociManifest, schema2, schema1Signed, schema1, dockerList, ociIndex),
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ...goTransport,
  ],
  'containerd HEAD': [
    ['User-Agent', 'containerd/1.6.20~ds1'],
    ['Accept', `${[schema2, dockerList, ociManifest, ociIndex].join(', ')}, */*`],
  ],
} satisfies Record<string, readonly HeaderLine[]>;

export type OldClient = keyof typeof manifestRequestHeaders;

/** containerd then GETs the digest it was told, and accepts the Content-Type it was told. */
export function containerdGetHeaders(contentType: string): readonly HeaderLine[] {
  return [
    ['User-Agent', 'containerd/1.6.20~ds1'],
    ['Accept', `${contentType}, */*`],
    ['Accept-Encoding', 'gzip'],
  ];
}
