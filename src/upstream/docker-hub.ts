/** Host names of Docker Hub. `docker login` writes the second one, and the last one is an old name. */
const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/** The address of its registry API. */
export const registryOfDockerHub = new URL('https://registry-1.docker.io');

export function isDockerHub({ hostname }: URL): boolean {
  return names.includes(hostname);
}
