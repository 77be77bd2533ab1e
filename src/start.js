#!/usr/bin/env node
// Starts the program, or says that this Node is too old for it. This file has neither import declarations nor newer
// syntax than Node 12 reads: Node loads the declared imports of a file before it runs the file, and a Node that lacks
// one of their exports ends with a stack. The test of this file holds the version to `engines` of package.json.
const oldest = '22.18';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number);

if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
  start();
} else {
  process.stderr.write(
    `regshift needs Node ${oldest} or newer; this is ${process.versions.node}. Install a newer Node, or run regshift in ` +
      'a container; in a clone, "npm ci" installs a newer Node for "npm start" and "npx regshift".\n',
  );
  // EX_CONFIG (sysexits.h). deploy/systemd/regshift.service does not restart after it.
  process.exitCode = 78;
}

// The compile cache must be on before Node loads the first TypeScript file: a later start then takes two thirds of the
// time. Node's type stripper takes 27 MiB that are never freed, and Node 24 does not load it if the stripped sources are
// in the cache.
async function start() {
  const { enableOwnCompileCache } = await import('./compile-cache.js');
  enableOwnCompileCache();
  await import('./cli.ts');
}
