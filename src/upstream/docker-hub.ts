/** Host names of Docker Hub. `docker login` writes the second one, and the last one is an old name. */
const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/** The address of its registry API. */
export const registryOfDockerHub = new URL('https://registry-1.docker.io');

export function isDockerHub({ hostname }: URL): boolean {
  return names.includes(hostname);
}

/** Docker Hub, and the hosts that have its images under the same names, and no others. */
const withItsNames = [...names, 'mirror.gcr.io'];

/**
 * Whether a registry keeps the official images of Docker Hub below `library/` and has no others of one part: Docker Hub,
 * a pure mirror of it, and an address whose path ends in such a host, as proxies write it that serve several registries.
 */
export function namesOfficialImages({ hostname, pathname }: URL): boolean {
  const last = pathname.split('/').findLast((part) => part !== '') ?? '';
  return withItsNames.includes(hostname) || withItsNames.includes(last);
}
