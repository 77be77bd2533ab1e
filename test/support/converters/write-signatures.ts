import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../programs.ts';

/**
 * Writes `test/golden/signatures/`: schema 1 manifests signed with every algorithm and key form of libtrust.
 * node:crypto and OpenSSL sign them after libtrust's jsonsign.go, independently of the converters. Signatures are
 * random and the program discards the keys, so the files are frozen: run it only for a new vector, with its name.
 *
 *     node test/support/converters/write-signatures.ts [name …]
 */
const folder = join(import.meta.dirname, '../../golden/signatures');
const wanted = new Set(process.argv.slice(2));

const ids = ['a', 'b'].map((letter) => letter.repeat(64));
const document = {
  schemaVersion: 1,
  name: 'library/signed',
  tag: 'latest',
  architecture: 'amd64',
  fsLayers: ids.map((_, index) => ({ blobSum: `sha256:${String(index).repeat(64)}` })),
  history: [
    {
      v1Compatibility: JSON.stringify({
        id: ids[0],
        parent: ids[1],
        created: '2015-11-20T12:00:01Z',
        os: 'linux',
      }),
    },
    { v1Compatibility: JSON.stringify({ id: ids[1], created: '2015-11-20T12:00:00Z' }) },
  ],
};

interface Signer {
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  /** Certificates, DER in base64; they replace the key in the header. */
  readonly chain?: readonly string[];
}

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

function signer(algorithm: string): Signer {
  const curve = (curves as Record<string, string>)[algorithm];
  const { privateKey } = curve
    ? generateKeyPairSync('ec', { namedCurve: curve })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { algorithm, privateKey };
}

/** A signer with a chain: a self-signed certificate, and a second one, which no reader checks. */
async function certified(): Promise<Signer> {
  const home = mkdtempSync(join(tmpdir(), 'regshift-certificate-'));
  const key = join(home, 'key.pem');
  const certificate = join(home, 'certificate.pem');
  const subject = ['-subj', '/CN=regshift test', '-days', '36500'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  await runProgram('openssl', ['req', '-x509', ...newKey, ...subject, '-out', certificate], home);
  const der = readFileSync(certificate, 'utf8').replace(/-----[^-]+-----|\s/g, '');
  return { algorithm: 'ES256', privateKey: createPrivateKey(readFileSync(key)), chain: [der, der] };
}

/** The key id as in libtrust, util.go, keyIDFromCryptoKey. */
function keyId(key: KeyObject): string {
  const hash = createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 30);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.replace(/.{5}/g, (five) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number(`0b${five}`)),
  );
  return letters.replace(/(.{4})(?=.)/g, '$1:');
}

function block(payload: Buffer, indent: number, { algorithm, privateKey, chain }: Signer): object {
  const tail = indent === 0 ? '}' : '\n}';
  const formatTail = Buffer.from(tail).toString('base64url');
  const format = { formatLength: payload.length - tail.length, formatTail, time: '2015-11-20T12:00:02Z' };
  const header = Buffer.from(JSON.stringify(format)).toString('base64url');
  const input = Buffer.from(`${header}.${payload.toString('base64url')}`);
  const hash = `sha${algorithm.slice(2)}`;
  const signature = sign(hash, input, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const { kty, crv, x, y, n, e } = createPublicKey(privateKey).export({ format: 'jwk' });
  const jwk =
    kty === 'EC' ? { crv, kid: keyId(privateKey), kty, x, y } : { e, kid: keyId(privateKey), kty, n };
  return {
    header: chain ? { alg: algorithm, x5c: chain } : { jwk, alg: algorithm },
    signature,
    protected: header,
  };
}

/** The signed document as in libtrust, jsonsign.go, PrettySignature. */
function signed(signers: readonly Signer[], indent = 3): Buffer {
  const payload = Buffer.from(JSON.stringify(document, null, indent));
  const signatures = signers.map((each) => block(payload, indent, each));
  const text = JSON.stringify({ signatures }, null, indent).slice(1);
  return Buffer.concat([payload.subarray(0, indent === 0 ? -1 : -2), Buffer.from(`,${text}`)]);
}

const vectors: Record<string, () => Buffer | Promise<Buffer>> = {
  ES256: () => signed([signer('ES256')]),
  ES384: () => signed([signer('ES384')]),
  ES512: () => signed([signer('ES512')]),
  RS256: () => signed([signer('RS256')]),
  RS512: () => signed([signer('RS512')]),
  compact: () => signed([signer('ES256')], 0),
  'indent-4': () => signed([signer('ES256')], 4),
  several: () => signed([signer('ES256'), signer('RS256'), signer('ES384')]),
  certificate: async () => signed([await certified()]),
  unsigned: () => Buffer.from(JSON.stringify(document, null, 3)),
};

mkdirSync(folder, { recursive: true });
for (const [name, make] of Object.entries(vectors)) {
  if (wanted.has(name)) writeFileSync(join(folder, `${name}.json`), await make());
}
