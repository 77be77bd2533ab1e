import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../../../src/config/settings.ts';
import { checkSettings } from '../../../../../src/runtime/node/check-settings.ts';
import { serve } from '../../../../../src/runtime/node/serve.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { testSigningKey } from '../../../../support/signing-key.ts';

/** The settings of a store in a folder that is one while they are checked, and a file afterwards. */
async function checkThenReplace() {
  const around = mkdtempSync(join(tmpdir(), 'regshift-look-'));
  onTestFinished(() => rm(around, { recursive: true }));
  const path = mkdtempSync(join(around, 'store-'));
  const env = { REGSHIFT_STORE: `file://${path}`, PORT: '0' };
  const checked = await checkSettings(readSettings(env), env);
  if (!('settings' in checked)) throw new Error('the settings are right');
  rmdirSync(path);
  writeFileSync(path, '');
  return checked;
}

it('a start looks at the folder of the store once, when it checks the settings', async () => {
  const checked = await checkThenReplace();
  const logged: string[] = [];
  const running = await serve(checked, (_level, message) => logged.push(message));
  onTestFinished(() => running.close());
  await expect
    .poll(() => logged)
    .toContain('the store of REGSHIFT_STORE cannot be used; layers come from the registry');
});

it('settings without a folder need no operations', async () => {
  expect(await checkSettings(readSettings({}), {})).toMatchObject({ storeOperations: undefined });
});

it('a start reads the certificate and the signing key once: the path may be that of a pipe', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-look-'));
  const { cert, key } = makeCertificate(folder, 'proxy');
  const signingKey = JSON.stringify(testSigningKey);
  const files = { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key, REGSHIFT_SIGNING_KEY: signingKey };
  const paths = Object.entries(files).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return [name, join(folder, name)] as const;
  });
  const env = { ...Object.fromEntries(paths), HOST: '127.0.0.1', PORT: '0' };
  const checked = await checkSettings(readSettings(env), env);
  if (!('settings' in checked)) throw new Error('the settings are right');
  await rm(folder, { recursive: true });
  const running = await serve(checked, () => {});
  onTestFinished(() => running.close());
  expect(running.url).toMatch(/^https:/);
});
