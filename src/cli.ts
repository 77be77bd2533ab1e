#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { formatProblems, readSettings } from './config/settings.ts';
import { serve } from './runtime/node/serve.ts';

const usage = `Usage: regshift serve

Starts the proxy. It is configured by variables; see README.md.
`;

const [command = 'serve', ...rest] = process.argv.slice(2);
if (command === '--help' || command === '-h' || rest.includes('--help')) {
  process.stdout.write(usage);
} else if (command === 'serve' && rest.length === 0) {
  await runServe();
} else {
  process.stderr.write(`regshift: there is no command "${[command, ...rest].join(' ')}"\n\n${usage}`);
  process.exitCode = 2;
}

async function runServe(): Promise<void> {
  const read = readSettings(process.env, (path) => readFileSync(path, 'utf8'));
  if ('problems' in read) {
    process.stderr.write(`regshift cannot start with these settings:\n${formatProblems(read.problems)}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    const { url } = await serve(read.settings);
    process.stdout.write(greeting(url, read.settings.REGSHIFT_UPSTREAM));
  } catch (error) {
    process.stderr.write(
      `regshift cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
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
