/** The names of Docker Hub; the last one is where its registry answers. */
const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

export function isDockerHub({ hostname }: URL): boolean {
  return names.includes(hostname);
}
