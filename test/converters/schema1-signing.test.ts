import { describe, expect, it } from 'vitest';
import {
  type ConversionContext,
  convertImage,
  generateSigningKey,
  type Image,
  readManifest,
  readSigningKey,
  signSchema1,
  verifySchema1,
} from '../../converters/index.ts';
import { type GoTime, wholeSeconds } from '../../converters/json/go-time.ts';
import { noPorts } from '../support/converters/no-ports.ts';
import { goldenBytes } from '../support/golden.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

const decoder = new TextDecoder();
const time = '2015-11-20T12:00:00Z' as GoTime;

/** The key in RFC 7515, appendix A.3. */
const rfc7515 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
};

/** The same key in the formats that OpenSSL writes. */
const pkcs8 = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
-----END PRIVATE KEY-----`;
const sec1 = `-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----`;

const keyId = 'FPI3:WDCE:VCL4:GCT2:UCMR:ZXRY:3ADC:7ZCB:3ZIN:UD2G:QJJU:J5QC';

describe('readSigningKey', () => {
  it.each([
    ['a JWK', JSON.stringify(rfc7515)],
    ["Docker's key.json", JSON.stringify({ ...rfc7515, kid: keyId })],
    ['PKCS#8', pkcs8],
    ['SEC1, as openssl ecparam -genkey writes it', sec1],
    // A form in a browser has one line for a secret.
    ['PEM in one line', pkcs8.replaceAll('\n', ' ')],
    ['PEM with text around it', `\n# made yesterday\n${pkcs8}\n\n`],
  ])('reads %s, and knows its libtrust id', async (_, text) => {
    expect(await readSigningKey(text)).toMatchObject({
      id: keyId,
      publicJwk: { x: rfc7515.x, y: rfc7515.y },
    });
  });

  it.each([
    ['nothing', ''],
    ['a public key', JSON.stringify({ ...rfc7515, d: undefined })],
    ['another curve', JSON.stringify({ ...rfc7515, crv: 'P-384' })],
    ['a public half of another key', JSON.stringify({ ...rfc7515, ...otherHalf() })],
    ['broken PEM', pkcs8.replace('MIGH', 'MIGX')],
    ['broken JSON', '{'],
    ['what is no text', undefined as unknown as string],
  ])('refuses %s, and the error does not contain it', async (_, text) => {
    const refused = await readSigningKey(text).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'ConversionError', code: 'SIGNATURE' });
    expect(String(refused)).not.toContain('jpsQ');
    expect((refused as Error).cause).toBeUndefined();
  });
});

/** The generator point of P-256, which is not the public key of any key in these tests. */
function otherHalf() {
  return {
    x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
    y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
  };
}

describe('signSchema1', () => {
  it('makes signatures that libtrust accepts', async () => {
    const key = await readSigningKey(JSON.stringify(rfc7515));
    const body = await signSchema1(goldenBytes('signatures/unsigned.json'), key, time);
    const signed = readSignedSchema1(body);
    expect(await signed.verify()).toBe(true);
    expect(signed.keyId).toBe(await signed.expectedKeyId());
    expect(signed.payload).toEqual(goldenBytes('signatures/unsigned.json'));
    const frozen = decoder.decode(goldenBytes('signatures/ES256.json'));
    const shape = (text: string) => text.replaceAll(/("(?:kid|x|y|signature|protected)": ")[^"]+/g, '$1…');
    expect(shape(decoder.decode(body))).toBe(shape(frozen));
    expect(atob(JSON.parse(decoder.decode(body)).signatures[0].protected)).toBe(
      '{"formatLength":786,"formatTail":"Cn0","time":"2015-11-20T12:00:00Z"}',
    );
  });

  it('changes only the signature when it signs again', async () => {
    const key = await generateSigningKey();
    const sign = async () =>
      decoder.decode(await signSchema1(goldenBytes('signatures/unsigned.json'), key, time));
    const [first, second] = [await sign(), await sign()];
    const without = (text: string) => text.replace(/"signature": "[^"]+"/, '');
    expect(second).not.toBe(first);
    expect(without(second)).toBe(without(first));
    expect(second.length).toBe(first.length);
  });

  it('keeps a compact document compact, as libtrust does', async () => {
    const compact = new TextEncoder().encode(
      JSON.stringify(JSON.parse(decoder.decode(goldenBytes('signatures/unsigned.json')))),
    );
    const body = await signSchema1(compact, await generateSigningKey(), time);
    const frozen = decoder.decode(goldenBytes('signatures/compact.json'));
    const shape = (text: string) => text.replaceAll(/("(?:kid|x|y|signature|protected)":")[^"]+/g, '$1…');
    expect(shape(decoder.decode(body))).toBe(shape(frozen));
    await verifySchema1(readManifest(body) as Image);
  });

  it('signs with several keys, in the order of their ids', async () => {
    const keys = [await generateSigningKey(), await generateSigningKey(), await generateSigningKey()];
    const body = await signSchema1(goldenBytes('signatures/unsigned.json'), keys, time);
    const { signatures } = JSON.parse(decoder.decode(body));
    const ids = signatures.map((each: { header: { jwk: { kid: string } } }) => each.header.jwk.kid);
    expect(ids).toEqual(keys.map(({ id }) => id).sort());
    await verifySchema1(readManifest(body) as Image);
  });

  it.each(['', '[]', 'text', '   }', '{}', '{ \n}'])('refuses to sign %j', async (text) => {
    const signing = signSchema1(new TextEncoder().encode(text), await generateSigningKey(), time);
    await expect(signing).rejects.toMatchObject({ code: 'INVALID' });
  });
});

describe('an unsigned manifest as schema 1', () => {
  const key = generateSigningKey();
  const context: ConversionContext = { ...noPorts, ports: { ...noPorts.ports, signingKey: () => key } };

  it('is signed, and keeps its digest', async () => {
    const image = readManifest(goldenBytes('signatures/unsigned.json')) as Image;
    const converted = await convertImage(image, 'schema1', context);
    expect(converted.digest).toBe(image.source.digest);
    expect(readSignedSchema1(converted.body).payload).toEqual(image.source.bytes);
    expect(await readSignedSchema1(converted.body).verify()).toBe(true);
  });

  it('stays unchanged if it has a valid signature', async () => {
    const bytes = goldenBytes('signatures/RS256.json');
    const converted = await convertImage(readManifest(bytes) as Image, 'schema1', noPorts);
    expect(converted.body).toEqual(bytes);
    const forged = new TextEncoder().encode(
      decoder.decode(bytes).replace('library/signed', 'library/forged'),
    );
    await expect(convertImage(readManifest(forged) as Image, 'schema1', noPorts)).rejects.toMatchObject({
      code: 'SIGNATURE',
    });
  });
});

describe('the signed time', () => {
  it.each([
    ['2015-11-20T12:00:00.123456789Z', '2015-11-20T12:00:00Z'],
    ['2015-11-20T12:00:00+01:30', '2015-11-20T10:30:00Z'],
    ['2015-12-31T23:00:00-07:00', '2016-01-01T06:00:00Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['0000-01-01T00:00:00+01:00', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59-01:00', '0001-01-01T00:00:00Z'],
  ])('of %s is %s', (written, signed) => {
    expect(wholeSeconds(written as GoTime)).toBe(signed);
  });
});
