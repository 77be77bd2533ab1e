import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { notShown, type SettingProblem } from '../../../config/problem.ts';

/** The text of a TLS setting, and the file that it comes from. */
export interface PemSource {
  readonly variable: string;
  readonly text: string;
  /** An absolute path; undefined if the setting is the text itself. */
  readonly file: string | undefined;
}

/** Checks that a certificate and a key can be read, belong together, and can be served. */
export function pairProblems(cert: PemSource, key: PemSource): SettingProblem[] {
  const leaf = attempt(() => new X509Certificate(cert.text));
  const privateKey = attempt(() => createPrivateKey(key.text));
  if (!leaf || !privateKey) {
    return [
      ...(leaf ? [] : [problemOf(cert, certificateFault(cert.text))]),
      ...(privateKey ? [] : [problemOf(key, keyFault(key.text))]),
    ];
  }
  if (!leaf.checkPrivateKey(privateKey)) return [problemOf(key, strangerFault(cert, privateKey))];
  // OpenSSL reports a certificate that it does not serve here, for instance a key that is too short.
  if (attempt(() => createSecureContext({ cert: cert.text, key: key.text }))) return [];
  return [problemOf(cert, brokenFault(cert.text) ?? weakFault)];
}

const weakFault =
  'has a certificate that OpenSSL does not serve, for instance because its key is too short. Make a new certificate';

/** The fault of a certificate after the first one that was cut off, or copied in part. */
function brokenFault(text: string): string | undefined {
  const broken = brokenCertificate(text);
  if (broken === undefined) return undefined;
  return `has a certificate ${broken} that cannot be read. Copy it again, from BEGIN to END`;
}

/** @returns the number of the first certificate of a text in PEM that cannot be read, from 1; undefined if all can. */
export function brokenCertificate(text: string): number | undefined {
  const begin = '-----BEGIN CERTIFICATE-----';
  const [, ...certificates] = text.split(begin);
  const broken = certificates.findIndex((each) => !attempt(() => new X509Certificate(begin + each)));
  return broken < 0 ? undefined : broken + 1;
}

/** The certificates of a text in PEM, in its order. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** DER and PKCS#12 begin with a sequence of more than 255 bytes; its length is no UTF-8. */
const isDer = (text: string) => text.startsWith('0\ufffd');

const inDer = 'is in DER or PKCS#12, and not in PEM';

function certificateFault(text: string): string {
  const needed = 'It must be PEM that begins with the certificate of this server';
  if (isDer(text)) return `${inDer}. ${needed}`;
  if (text.includes('-----BEGIN CERTIFICATE-----'))
    return `has a first certificate that cannot be read. ${needed}`;
  return text.includes('PRIVATE KEY-----')
    ? `has a private key and no certificate. ${needed}`
    : `has no certificate in PEM. ${needed}`;
}

function keyFault(text: string): string {
  const needed = 'It must be a private key in PEM without a passphrase';
  if (isDer(text)) return `${inDer}. ${needed}`;
  if (text.includes('ENCRYPTED')) return `has an encrypted key. ${needed}`;
  return text.includes('PRIVATE KEY-----')
    ? `has a private key that cannot be read. ${needed}`
    : `has no private key in PEM. ${needed}`;
}

/** The fault of a key that belongs to another certificate than the first one. */
function strangerFault({ variable, text, file = variable }: PemSource, key: KeyObject): string {
  const fault = `has a key that does not belong to the first certificate in ${file}`;
  const own = certificatesIn(text).findIndex((each) =>
    attempt(() => new X509Certificate(each).checkPrivateKey(key)),
  );
  return own > 0 ? `${fault}, but to certificate ${own + 1} there. Put that certificate first` : fault;
}

/** The message has a path only of a file that was read, so a secret in the wrong place is never shown. */
function problemOf({ variable, file }: PemSource, fault: string): SettingProblem {
  const message = file === undefined ? fault : `names the file ${file}, which ${fault}`;
  return { variable, value: notShown, message };
}

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
