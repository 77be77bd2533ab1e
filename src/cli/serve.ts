import { readFileSync } from 'node:fs';
import { formatProblems, readSettings } from '../config/settings.ts';
import { serve } from '../runtime/node/serve.ts';
import type { Io } from './io.ts';
import { exitCodes } from './usage.ts';

/** `regshift serve`. Returns once the proxy listens. */
export async function runServe(io: Io): Promise<number> {
  const read = readSettings(io.env, (path) => readFileSync(path, 'utf8'));
  if ('problems' in read) {
    io.tell(`regshift cannot start with these settings:\n${formatProblems(read.problems)}\n`);
    return exitCodes.wrongUsage;
  }
  try {
    const { url } = await serve(read.settings);
    io.write(greeting(url, read.settings.REGSHIFT_UPSTREAM));
    return exitCodes.good;
  } catch (error) {
    io.tell(`regshift cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.failed;
  }
}

function greeting(url: string, upstream: URL | undefined): string {
  if (upstream) return `regshift serves ${upstream.href} on ${url}\n`;
  const host = new URL(url).host;
  return `regshift serves its embedded sample registry on ${url}, because REGSHIFT_UPSTREAM is not set.
Try:
  curl -i -H 'Accept:' ${url}/v2/sample/oci/manifests/latest
      an OCI image, as Docker 1.9 and older are given it: signed schema 1
  curl -i -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' ${url}/v2/sample/index/manifests/latest
      one platform of an OCI index, as Docker schema 2
  docker pull ${host}/sample/generic
      the generic manifest of 2015, as any Docker
In front of a registry of yours: REGSHIFT_UPSTREAM=https://registry.example npm start
`;
}
