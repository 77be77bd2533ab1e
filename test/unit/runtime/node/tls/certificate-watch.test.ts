import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { watchCertificate } from '../../../../../src/runtime/node/tls/certificate-watch.ts';

it.each([
  ['a pipe, which can be read once', 'mkfifo', []],
  ['a file', 'touch', ['the new certificate cannot be used: the old one is served']],
])('a certificate out of %s', async (_, make, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-watch-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  spawnSync(make, [cert]);
  writeFileSync(key, '');
  const logged: string[] = [];
  const watch = watchCertificate({
    settings: { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key },
    current: { cert: '', key: '', notBefore: 0, notAfter: 0 },
    onNew: () => undefined,
    log: (_level, message) => logged.push(message),
  });
  watch.look();
  watch.stop();
  expect(logged).toEqual(expected);
});
