import { hkdfSync } from 'node:crypto';
import { exportJWK, exportPKCS8 } from 'jose';
import { describe, expect, it } from 'vitest';
import { generateSigningKey, readSigningKey } from '../../../converters/crypto/signing-key.ts';
import { deriveStateKeys } from '../../../src/client-state/keys.ts';
import { testSigningKey } from '../../support/signing-key.ts';

const upstream = 'https://registry.test';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const derived = async (key: string, of = upstream) => {
  const { context, token, upload, list } = await deriveStateKeys(await readSigningKey(key), of);
  return [hex(context), hex(token), hex(upload), hex(list)];
};
const jwk = JSON.stringify(testSigningKey);

describe('the keys of carried state', () => {
  it('are derived by HKDF, each with its own info', async () => {
    const expected = (use: string) => {
      const info = `regshift ${use} 1 ${upstream}`;
      const secret = Buffer.from(testSigningKey.d, 'base64url');
      return hex(new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), info, 32)));
    };
    expect(await derived(jwk)).toEqual(
      ['registry-v1 context', 'registry-v1 token', 'upload', 'list'].map(expected),
    );
  });

  it('do not depend on the spelling of the signing key', async () => {
    const { privateKey } = await readSigningKey(jwk);
    expect(await derived(await exportPKCS8(privateKey))).toEqual(await derived(jwk));
    expect(await derived(JSON.stringify(await exportJWK(privateKey)))).toEqual(await derived(jwk));
  });

  it('are for one purpose, one upstream and one signing key', async () => {
    const { privateKey } = await generateSigningKey();
    const all = [
      ...(await derived(jwk)),
      ...(await derived(jwk, 'https://other.test')),
      ...(await derived(JSON.stringify(await exportJWK(privateKey)))),
      Buffer.from(testSigningKey.d, 'base64url').toString('hex'),
    ];
    expect(new Set(all).size).toBe(all.length);
    for (const each of all) expect(each).toHaveLength(64);
  });
});
