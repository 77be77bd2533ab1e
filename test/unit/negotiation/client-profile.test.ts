import { describe, expect, it } from 'vitest';
import { describeClient } from '../../../src/negotiation/client-profile.ts';
import { type ClientProfile, clientRows } from '../../../src/negotiation/client-rows.ts';

type Lacks = readonly (keyof ClientProfile)[];

/** First and last version on each side of every border. */
const cases: readonly [userAgent: string | undefined, lacks: Lacks][] = [
  [undefined, []],
  ['', []],
  ['Go-http-client/1.1', []],
  ['curl/8.5.0', []],
  ['docker/1.3.3', ['namesTypes', 'pages', 'apiV2', 'zstd', 'nestedIndex', 'verifiesBlobs']],
  ['docker/1.5.0 go/go1.4.1', ['namesTypes', 'pages', 'apiV2', 'zstd', 'nestedIndex', 'verifiesBlobs']],
  ['docker/1.6.0', ['namesTypes', 'pages', 'zstd', 'nestedIndex', 'verifiesBlobs']],
  ['docker/1.7.1', ['namesTypes', 'pages', 'zstd', 'nestedIndex', 'verifiesBlobs']],
  ['docker/1.8.0', ['namesTypes', 'pages', 'zstd', 'pullsByGet', 'nestedIndex']],
  ['docker/1.9.1', ['namesTypes', 'pages', 'zstd', 'pullsByGet', 'nestedIndex']],
  ['docker/1.10.0', ['pages', 'zstd', 'nestedIndex']],
  ['docker/1.11.2', ['pages', 'zstd', 'nestedIndex']],
  ['docker/1.12.0', ['zstd', 'nestedIndex']],
  ['docker/1.13.1', ['zstd', 'nestedIndex']],
  ['docker/17.05.0-ce', ['zstd', 'nestedIndex']],
  ['docker/18.09.9', ['zstd', 'nestedIndex']],
  ['docker/19.03.0', ['oci', 'zstd', 'nestedIndex', 'untypedSchema2']],
  ['docker/19.03.4', ['oci', 'zstd', 'nestedIndex', 'untypedSchema2']],
  ['docker/19.03.5', ['zstd', 'nestedIndex', 'untypedSchema2']],
  ['docker/20.10.24+dfsg1', ['zstd', 'nestedIndex', 'untypedSchema2']],
  ['docker/22.06.0-beta.0', ['zstd', 'nestedIndex', 'untypedSchema2']],
  ['docker/23.0.0', ['nestedIndex', 'untypedSchema2']],
  ['docker/23.0', ['nestedIndex', 'untypedSchema2']],
  ['docker/25.0.5', ['nestedIndex', 'untypedSchema2']],
  ['docker/26.0.0', ['schema1', 'nestedIndex', 'untypedSchema2']],
  ['docker/28.2.0', ['schema1', 'nestedIndex', 'untypedSchema2']],
  ['docker/v26.1.0', ['schema1', 'nestedIndex', 'untypedSchema2']],
  ['Docker-Client/20.10.24+dfsg1 (linux)', ['oci', 'nestedIndex']],
  ['Docker-Client/22.06.0-beta.0 (linux)', ['oci', 'nestedIndex']],
  ['Docker-Client/23.0.0 (linux)', ['nestedIndex']],
  ['Docker-Client/28.2.2 (linux)', ['nestedIndex']],
  ['docker/dev', []],
  ['docker', []],
  ['Docker/1.9.1', []],
  ['docker-compose/1.9.1', []],
  ['containerd/1.4.13', ['zstd', 'dockerZstdType']],
  ['containerd/v1.4.13', ['zstd', 'dockerZstdType']],
  ['containerd/1.5.0', ['dockerZstdType']],
  ['containerd/1.6.20~ds1', ['dockerZstdType']],
  ['containerd/2.0.0', ['schema1', 'dockerZstdType']],
  ['containerd/2.1.0+unknown', ['schema1', 'dockerZstdType']],
  ['skopeo/1.9.3', ['dockerZstdType', 'ociTypesInSchema2', 'nestedIndex']],
  ['skopeo/1.20.0', ['dockerZstdType', 'ociTypesInSchema2', 'nestedIndex']],
  ['skopeo/1.21.0', ['ociTypesInSchema2', 'nestedIndex']],
  ['kurt skopeo/1.21.0', ['ociTypesInSchema2', 'nestedIndex']],
  ['containers/5.23.1 (github.com/containers/image)', ['dockerZstdType', 'ociTypesInSchema2', 'nestedIndex']],
  ['containers/5.38.0 (github.com/containers/image)', ['ociTypesInSchema2', 'nestedIndex']],
  ['libpod/3.0.1', ['dockerZstdType', 'ociTypesInSchema2', 'nestedIndex']],
  ['Buildah/1.28.2', ['dockerZstdType', 'ociTypesInSchema2', 'nestedIndex']],
  ['Buildah/1.42.0', ['ociTypesInSchema2', 'nestedIndex']],
  ['cri-o/1.34.2 go/go1.24.6 os/linux arch/amd64', ['dockerZstdType', 'ociTypesInSchema2', 'nestedIndex']],
  ['cri-o/1.35.0 go/go1.25.0 os/linux arch/amd64', ['ociTypesInSchema2', 'nestedIndex']],
  ['containerd/1.6.20+unknown', ['dockerZstdType', 'zstd']],
  ['containerd/1.7.12+unknown', ['dockerZstdType']],
  ['containerd/2.2.0', ['schema1']],
  ['azsdk-js-container-registry/1.1.0-beta.4 core-rest-pipeline/1.25.1 Node/v24.2.0', ['urlLocations']],
  ['buildkit/v0.11', ['dockerZstdType']],
  ['buildkit/v0.12', []],
  ['go-containerregistry/v0.20.2', ['schema1', 'namesPushedType']],
  ['crane/v0.20.2 go-containerregistry/v0.20.2', ['schema1', 'namesPushedType']],
  ['crane/(devel) go-containerregistry/(devel)', ['schema1', 'namesPushedType']],
  ['cosign/devel (linux; amd64) go-containerregistry', ['schema1', 'namesPushedType']],
  ['go-containerregistry', ['schema1', 'namesPushedType']],
  ['my-go-containerregistry', []],
  [
    'docker/28.3.3 go/go1.24.5 os/linux arch/amd64 containerd-client/1.7.27+unknown storage-driver/overlayfs UpstreamClient(Docker-Client/28.3.3 \\(linux\\))',
    ['schema1', 'dockerZstdType'],
  ],
  ['docker/29.1.0 containerd-client/2.2.0 storage-driver/overlayfs', ['schema1']],
  ['my-docker/1.5.0', []],
  // Only the program itself counts, not what it quotes.
  ['buildkit/v0.12 UpstreamClient(docker/1.9.1)', []],
  [
    'docker/23.0.1 go/go1.19 UpstreamClient(docker/1.5.0 os/linux arch/arm)',
    ['nestedIndex', 'untypedSchema2'],
  ],
];

describe('the capabilities that a client lacks', () => {
  it.each(cases)('%s: %o', (userAgent, lacks) => {
    const { profile } = describeClient(userAgent);
    const lacking = (Object.keys(profile) as (keyof ClientProfile)[]).filter((each) => !profile[each]);
    expect(lacking.toSorted()).toEqual([...lacks].toSorted());
  });

  it('is in the table with its evidence', () => {
    for (const row of clientRows) expect(row.evidence.length).toBeGreaterThan(20);
  });
});

describe('a doubtful capability', () => {
  it.each([
    ['containerd/1.6.20+unknown', ['zstd', 'dockerZstdType']],
    ['containerd/1.4.13+unknown', ['dockerZstdType']],
    ['containerd/1.6.20', ['dockerZstdType']],
    ['docker/20.10.24', ['untypedSchema2']],
    ['skopeo/1.9.3', ['dockerZstdType', 'ociTypesInSchema2']],
    ['crane/v0.20.2 go-containerregistry/v0.20.2', ['schema1']],
  ])('%s has for a digest: %o', (userAgent, expected) => {
    const { profile, digestProfile } = describeClient(userAgent);
    const names = Object.keys(profile) as (keyof ClientProfile)[];
    expect(names.filter((name) => digestProfile[name] && !profile[name])).toEqual(expected);
  });
});

describe('the platform of a client', () => {
  it.each([
    ['docker/1.9.1 go/go1.4.2 git-commit/a34a1d5 kernel/4.1.0 os/linux arch/arm', 'linux', 'arm'],
    [
      'docker/1.13.1 os/windows arch/amd64 UpstreamClient(Docker-Client/1.13.1 \\(linux\\))',
      'windows',
      'amd64',
    ],
    ['os/linux arch/s390x', 'linux', 's390x'],
  ])('%s', (userAgent, os, architecture) => {
    expect(describeClient(userAgent).platform).toEqual({ os, architecture });
  });

  it.each([
    undefined,
    'docker/1.9.1',
    'docker/1.9.1 os/linux',
    'docker/1.9.1 arch/amd64',
    'docker/1.9.1 macos/linux march/amd64',
    'docker/1.9.1 os/linux arch/amd65',
    'docker/1.9.1 os/unknown arch/unknown',
    'docker/1.9.1 UpstreamClient(x os/linux arch/arm)',
    `docker/1.9.1 ${'x'.repeat(1024)} os/linux arch/arm`,
  ])('%s does not state one', (userAgent) => {
    expect(describeClient(userAgent).platform).toBeUndefined();
  });
});

describe('the name of a client, for logs', () => {
  it.each([
    ['docker/1.9.1 go/go1.4.2', 'docker/1.9.1'],
    ['containerd/1.6.20~ds1', 'containerd/1.6.20~ds1'],
    ['go-containerregistry', 'go-containerregistry'],
    [undefined, 'unknown'],
    ['Mozilla', 'unknown'],
  ])('%s: %s', (userAgent, name) => {
    expect(describeClient(userAgent).name).toBe(name);
  });
});
