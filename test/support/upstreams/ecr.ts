import { behind, resourceOf } from './behind.ts';
import { basicOf, type Habit, stopAll } from './habit.ts';
import { type Reply, startLoopback } from './loopback.ts';
import { redirectBlob, startStorageHost } from './storage-host.ts';

const login = { username: 'AWS', password: 'eyJwYXlsb2FkIjoiYSBwYXNzd29yZCBvZiB0d2VsdmUgaG91cnMifQ==' };

/** Amazon's private registry: Basic only, as the user AWS; layers by 307 from S3. */
export const ecr: Habit = {
  name: 'ECR',
  login,
  async start(registryUrl) {
    const real = behind(registryUrl);
    const storage = await startStorageHost(real);
    const registry = await startLoopback(async (question) => {
      if (question.headers.authorization !== basicOf(login)) return notAuthorized(registry.url);
      const resource = resourceOf(question.path);
      if (resource?.kind !== 'blobs' || question.method === 'HEAD') return real.ask(question);
      return redirectBlob(real, question, storage.sign('GET', resource.repository, resource.reference));
    });
    const { server } = storage;
    return { url: registry.url, registry, storage: server, stop: () => stopAll([registry, server], real) };
  },
};

/** A refusal that is not in the form of the distribution spec. */
function notAuthorized(url: string): Reply {
  const body = new TextEncoder().encode('Not Authorized\n');
  return {
    status: 401,
    headers: {
      'WWW-Authenticate': `Basic realm="${url}/",service="ecr.amazonaws.com"`,
      'Docker-Distribution-Api-Version': 'registry/2.0',
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(body.length),
    },
    body,
  };
}
