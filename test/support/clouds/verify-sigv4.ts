import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const hex = (text: string) => bytesToHex(sha256(utf8(text)));

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** The body, or its hash in hex. */
  readonly body: string | { readonly sha256: string };
}

export interface Signing {
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

/**
 * Checks AWS Signature Version 4 as AWS documents it ("Create a signed AWS API request"), with the headers that the
 * request itself lists. Made for these tests from the documentation alone.
 * @returns the key id of a right signature; undefined for a wrong one.
 */
export function verifySigv4(request: SignedRequest, signing: Signing): string | undefined {
  const { headers } = request;
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.get('authorization') ?? '',
    );
  const [, keyId = '', day = '', region, service, names = '', signature] = parsed ?? [];
  const date = headers.get('x-amz-date') ?? '';
  if (region !== signing.region || service !== signing.service || !date.startsWith(`${day}T`))
    return undefined;
  const signedNames = names.split(';');
  const mustBeSigned = ['host', ...[...headers.keys()].filter((name) => name.startsWith('x-amz-'))];
  if (!mustBeSigned.every((name) => signedNames.includes(name))) return undefined;
  return signature === signatureOf(request, { ...signing, day, date, signedNames }) ? keyId : undefined;
}

export function signatureOf(
  { method, url, headers, body }: SignedRequest,
  {
    secretAccessKey,
    region,
    service,
    day,
    date,
    signedNames,
  }: Signing & {
    readonly day: string;
    readonly date: string;
    readonly signedNames: readonly string[];
  },
): string {
  const canonicalHeaders = signedNames.map((name) => {
    const value = name === 'host' ? url.host : (headers.get(name) ?? '');
    return `${name}:${value.trim().replace(/ +/g, ' ')}\n`;
  });
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const canonical = [
    method,
    url.pathname,
    query,
    canonicalHeaders.join(''),
    signedNames.join(';'),
    typeof body === 'string' ? hex(body) : body.sha256,
  ];
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, hex(canonical.join('\n'))].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce(
    (from, part) => hmac(sha256, from, utf8(part)),
    utf8(`AWS4${secretAccessKey}`),
  );
  return bytesToHex(hmac(sha256, key, utf8(text)));
}
