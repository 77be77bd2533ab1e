import { type HeaderLine, manifestRequestHeaders, type OldClient } from '../old-clients.ts';
import { containerd } from './containerd.ts';
import { containersImage } from './containers-image.ts';
import { type Docker, docker } from './docker-from-1.10.ts';
import { type EarlyDocker, earlyDocker } from './docker-to-1.9.ts';
import type { EarlyPusher } from './early-docker-push.ts';
import type { Simulator } from './simulator.ts';

/** The headers of a client family with another User-Agent. */
function as(family: OldClient, userAgent: string): HeaderLine[] {
  return manifestRequestHeaders[family].map(([name, value]) =>
    name === 'User-Agent'
      ? [name, value.replace(/^docker\/\S+ go\/\S+ git-commit\/\S+|^skopeo\S+/, userAgent)]
      : [name, value],
  );
}

const docker17 = as('Docker 1.6.2', 'docker/1.7.1 go/go1.4.2 git-commit/786b29d');
const docker18 = as('Docker 1.9.1', 'docker/1.8.3 go/go1.4.2 git-commit/f4bf5c7');
const docker110 = as('Docker 1.13.1', 'docker/1.10.3 go/go1.5.3 git-commit/20f81dd').map(
  // Before 1.13, the engine does not quote the program that called it.
  ([name, value]): HeaderLine => [name, value.replace(/ UpstreamClient\(.*$/, '')],
);
const docker1809 = as('Docker 19.03.3', 'docker/18.09.9 go/go1.11.13 git-commit/039a7df9ba');
const docker1705 = as('Docker 1.13.1', 'docker/17.05.0-ce go/go1.7.5 git-commit/89658be');

const early: readonly EarlyDocker[] = [
  {
    name: 'Docker 1.6.2',
    headers: manifestRequestHeaders['Docker 1.6.2'],
    pings: 2,
    actions: 'pull',
    headsLayers: false,
    needsDigestHeader: true,
  },
  {
    name: 'Docker 1.7.1',
    headers: docker17,
    pings: 2,
    actions: 'pull',
    headsLayers: false,
    needsDigestHeader: false,
  },
  {
    name: 'Docker 1.8.3',
    headers: docker18,
    pings: 1,
    actions: 'push,pull',
    headsLayers: true,
    needsDigestHeader: false,
  },
  {
    name: 'Docker 1.9.1',
    headers: manifestRequestHeaders['Docker 1.9.1'],
    pings: 1,
    actions: 'pull',
    headsLayers: true,
    needsDigestHeader: false,
  },
];

/** The engines whose pushes regshift supports: not 1.6 and older. */
export const earlyPushers: readonly EarlyPusher[] = early
  .filter(({ name }) => name !== 'Docker 1.6.2')
  .map(({ name, headers, pings }) => ({ name, headers, pings, asksOnce: name !== 'Docker 1.7.1' }));

const later: readonly Docker[] = [
  {
    name: 'Docker 1.10.3',
    headers: docker110,
    namesItself: false,
    checksConfigType: false,
    checksMediaType: false,
    readsOci: false,
    headsTag: false,
  },
  {
    name: 'Docker 17.05',
    headers: docker1705,
    namesItself: true,
    checksConfigType: true,
    checksMediaType: false,
    readsOci: false,
    headsTag: false,
  },
  // distribution/oci.go and registry.go of docker/engine v18.09.9.
  {
    name: 'Docker 18.09',
    headers: docker1809,
    namesItself: true,
    checksConfigType: false,
    checksMediaType: false,
    readsOci: true,
    headsTag: false,
  },
  {
    name: 'Docker 19.03.3',
    headers: manifestRequestHeaders['Docker 19.03.3'],
    namesItself: true,
    checksConfigType: false,
    checksMediaType: true,
    readsOci: false,
    headsTag: false,
  },
  {
    name: 'Docker 20.10',
    headers: manifestRequestHeaders['Docker 20.10'],
    namesItself: true,
    checksConfigType: false,
    checksMediaType: true,
    readsOci: true,
    headsTag: true,
  },
];

export const simulators: readonly Simulator[] = [
  ...early.map(earlyDocker),
  ...later.map(docker),
  containersImage('skopeo 1.9', manifestRequestHeaders.skopeo),
  containersImage('podman 3.0', as('skopeo', 'libpod/3.0.1')),
  containersImage('podman 4.3', as('skopeo', 'containers/5.23.1 (github.com/containers/image)')),
  containerd,
];

/** Returns a simulator by its name. @throws Error for a name that is not in the table. */
export function simulator(name: string): Simulator {
  const found = simulators.find((each) => each.name === name);
  if (!found) throw new Error(`There is no ${name} here`);
  return found;
}
