import { createHash } from 'node:crypto';
import { flattenedVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';

const registry = createSampleRegistry();

async function signedManifest() {
  const response = await registry.fetch('http://sample/v2/sample/schema1/manifests/latest');
  const bytes = new Uint8Array(await response.arrayBuffer());
  const document = JSON.parse(new TextDecoder().decode(bytes));
  const [signature] = document.signatures;
  const { formatLength, formatTail } = JSON.parse(Buffer.from(signature.protected, 'base64url').toString());
  const payload = Buffer.concat([bytes.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')]);
  return { response, document, signature, payload };
}

/** libtrust: 240 bits of the SHA-256 of the key's SubjectPublicKeyInfo, base32, in groups of four. */
function libtrustId(x: string, y: string): string {
  const prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
  const point = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const hash = createHash('sha256').update(prefix).update(point).digest().subarray(0, 30);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const letters = bits.replace(/.{5}/g, (five) => alphabet[Number.parseInt(five, 2)] ?? '');
  return letters.replace(/.{4}(?!$)/g, '$&:');
}

describe('the libtrust id of this test', () => {
  it('is right for the key of RFC 7515, A.3', () => {
    const id = libtrustId(
      'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    );
    expect(id).toBe('FPI3:WDCE:VCL4:GCT2:UCMR:ZXRY:3ADC:7ZCB:3ZIN:UD2G:QJJU:J5QC');
  });
});

describe('sample/schema1', () => {
  it('has a signature that verifies over the payload', async () => {
    const { signature, payload } = await signedManifest();
    const { jwk, alg } = signature.header;
    const key = await importJWK({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, 'ES256');
    expect(alg).toBe('ES256');
    expect(jwk.kid).toBe(libtrustId(jwk.x, jwk.y));
    const jws = {
      // jose requires the algorithm; libtrust has it outside the protected header.
      header: { alg },
      protected: signature.protected,
      payload: payload.toString('base64url'),
      signature: signature.signature,
    };
    await expect(flattenedVerify(jws, key)).resolves.toBeDefined();
  });

  it('has the digest of its payload, and is found by it', async () => {
    const { response, payload } = await signedManifest();
    const digest = digestOf(payload);
    expect(response.headers.get('Docker-Content-Digest')).toBe(digest);
    const byDigest = await registry.fetch(`http://sample/v2/sample/schema1/manifests/${digest}`);
    expect(byDigest.status).toBe(200);
  });

  it('adds nothing to its payload but the signature', async () => {
    const { document, payload } = await signedManifest();
    const { signatures, ...rest } = document;
    expect(signatures).toHaveLength(1);
    expect(JSON.stringify(rest, null, 3)).toBe(payload.toString());
  });

  it('has as many entries as blobs, and each parent is the id below', async () => {
    const { document } = await signedManifest();
    const entries = document.history.map(({ v1Compatibility }: { v1Compatibility: string }) =>
      JSON.parse(v1Compatibility),
    );
    expect(entries).toHaveLength(document.fsLayers.length);
    for (const [index, entry] of entries.entries()) {
      expect(entry.id).toMatch(/^[0-9a-f]{64}$/);
      expect(entry.parent).toBe(entries[index + 1]?.id);
    }
  });
});
