/** Host names of Docker Hub. */
const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** The address of its registry API. */
export const registryOfDockerHub = new URL('https://registry-1.docker.io');

export function isDockerHub({ hostname }: URL): boolean {
  return names.includes(hostname);
}
