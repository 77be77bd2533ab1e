/** A schema 1 manifest as Docker reads it, implemented from libtrust's rules and not by our reader. */
export interface Schema1Document {
  readonly schemaVersion: number;
  readonly name: string;
  readonly tag: string;
  readonly architecture: string;
  readonly fsLayers: readonly { readonly blobSum: string }[];
  readonly history: readonly { readonly v1Compatibility: string }[];
}

export interface V1Compatibility {
  readonly id: string;
  readonly parent?: string;
  readonly throwaway?: boolean;
}

export interface SignedSchema1 {
  /** The signed bytes, whose hash is the digest. */
  readonly payload: Uint8Array;
  readonly document: Schema1Document;
  /** Newest first. */
  readonly entries: readonly V1Compatibility[];
  readonly keyId: string;
  /** Verifies the signature by WebCrypto, for ES256 only. */
  verify(): Promise<boolean>;
  /** The key id that libtrust computes for the key beside the signature. */
  expectedKeyId(): Promise<string>;
}

interface Block {
  readonly header: { readonly jwk: { readonly kid: string } & Record<string, string>; readonly alg: string };
  readonly signature: string;
  readonly protected: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** Reads a manifest. @throws Error unless it has exactly one ES256 signature. */
export function readSignedSchema1(bytes: Uint8Array): SignedSchema1 {
  const outer = JSON.parse(new TextDecoder().decode(bytes)) as { signatures?: Block[] };
  const [block, ...others] = outer.signatures ?? [];
  if (!block || others.length > 0 || block.header.alg !== 'ES256') throw new Error('not one ES256 signature');
  const format = JSON.parse(new TextDecoder().decode(fromBase64url(block.protected))) as {
    formatLength: number;
    formatTail: string;
  };
  const payload = join(bytes.subarray(0, format.formatLength), fromBase64url(format.formatTail));
  const document = JSON.parse(new TextDecoder().decode(payload)) as Schema1Document;
  const { kid, ...jwk } = block.header.jwk;
  const key = () => crypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify']);
  return {
    payload,
    document,
    entries: document.history.map((each) => JSON.parse(each.v1Compatibility) as V1Compatibility),
    keyId: kid,
    verify: async () => {
      const input = new TextEncoder().encode(`${block.protected}.${toBase64url(payload)}`);
      const signature = fromBase64url(block.signature);
      return crypto.subtle.verify({ ...algorithm, hash: 'SHA-256' }, await key(), signature, input);
    },
    expectedKeyId: async () => libtrustId(await crypto.subtle.exportKey('spki', await key())),
  };
}

/** Computes libtrust's key id: 30 bytes of the SHA-256 of the DER key, in base32, in groups of four. */
async function libtrustId(spki: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', spki)).subarray(0, 30);
  let bits = '';
  for (const byte of hash) bits += byte.toString(2).padStart(8, '0');
  const letters = bits.replace(/.{5}/g, (five) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number(`0b${five}`)),
  );
  return letters.replace(/(.{4})(?=.)/g, '$1:');
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function toBase64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
