import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { notShown, type SettingProblem } from '../../../config/problem.ts';
import { UnreadableFileError } from '../../../config/setting-files.ts';
import type { Settings } from '../../../config/settings.ts';
import type { Facts, Log } from '../../../observability/log.ts';
import { readFile } from '../files.ts';
import { certificatesIn, type PemSource, pairProblems } from './pair-problems.ts';

/** The proxy's certificate with its chain, and its key, both as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

export type TlsSettings = Partial<Pick<Settings, 'REGSHIFT_TLS_CERT' | 'REGSHIFT_TLS_KEY'>>;

/** undefined: the proxy does not speak TLS. */
export type LoadedCertificate =
  | { readonly certificate: Certificate | undefined }
  | { readonly problems: readonly SettingProblem[] };

/**
 * Loads and checks the certificate of the settings, so that a fault is reported at the start and not to the first
 * client.
 * @param isAgain as in `readFile`.
 */
export function loadCertificate(settings: TlsSettings, isAgain = false): LoadedCertificate {
  const { REGSHIFT_TLS_CERT: certSetting, REGSHIFT_TLS_KEY: keySetting } = settings;
  if (certSetting === undefined || keySetting === undefined) return { certificate: undefined };
  const cert = pemOf('REGSHIFT_TLS_CERT', certSetting, isAgain);
  const key = pemOf('REGSHIFT_TLS_KEY', keySetting, isAgain);
  if ('problem' in cert || 'problem' in key)
    return { problems: [cert, key].flatMap((read) => ('problem' in read ? [read.problem] : [])) };
  const problems = pairProblems(cert, key);
  if (problems.length > 0) return { problems };
  const { validFromDate, validToDate } = new X509Certificate(cert.text);
  const dates = { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
  return { certificate: { cert: cert.text, key: key.text, ...dates } };
}

/** @returns true if the setting is a path, whose file may change. */
export function isPath(setting: string | undefined): setting is string {
  return setting !== undefined && !setting.includes('-----BEGIN');
}

/** A fact about a usable certificate that the operator should know. */
export interface CertificateWarning {
  readonly message: string;
  readonly facts: Facts;
}

/** The reasons for which clients refuse the certificate, now or soon. */
export function certificateWarnings(
  { cert, notAfter }: Certificate,
  now: Date,
): readonly CertificateWarning[] {
  const expiry = expiryWarning('REGSHIFT_TLS_CERT', 'clients', notAfter, now);
  const hasNames = new X509Certificate(cert).subjectAltName !== undefined;
  return [
    ...(expiry ? [expiry] : []),
    ...(hasNames ? [] : [namelessWarning]),
    ...(usesEd25519(cert) ? [ed25519Warning] : []),
  ];
}

/** Logs the warnings of a certificate that is served from now on, and each day again. */
export function logWarnings(certificate: Certificate, log: Log, now: Date): void {
  for (const { message, facts } of certificateWarnings(certificate, now)) log('warn', message, facts);
}

/** The reason for which a registry refuses the certificate of REGSHIFT_UPSTREAM_CERT, now or soon. */
export function upstreamCertificateWarning(cert: string, now: Date): CertificateWarning | undefined {
  const notAfter = new X509Certificate(cert).validToDate.getTime();
  return expiryWarning('REGSHIFT_UPSTREAM_CERT', 'the registry', notAfter, now);
}

/** @param reader who verifies the certificate. */
function expiryWarning(
  variable: string,
  reader: string,
  notAfter: number,
  now: Date,
): CertificateWarning | undefined {
  const days = Math.floor((notAfter - now.getTime()) / dayMs);
  if (days >= warnedDays) return undefined;
  const until = new Date(notAfter).toISOString();
  return days >= 0
    ? { message: `the certificate in ${variable} expires soon`, facts: { until, days } }
    : { message: `the certificate in ${variable} has expired: ${reader} will refuse it`, facts: { until } };
}

/** Go takes no host name from the common name since 1.15 (its release notes, "crypto/x509"). */
const namelessWarning: CertificateWarning = {
  message:
    'the certificate in REGSHIFT_TLS_CERT has no subjectAltName: containerd, podman, newer Docker, and other programs ' +
    'built with Go 1.15 or newer, refuse it. Make a certificate that has the names and addresses of this proxy there',
  facts: {},
};

/**
 * Go has Ed25519 in certificates since 1.13 (its release notes, "crypto/tls" and "crypto/x509"). Docker is built with
 * Go 1.13 since 19.03.9 (its release notes). Docker 1.3 and 1.6 were seen to fail.
 */
const ed25519Warning: CertificateWarning = {
  message:
    'the certificate in REGSHIFT_TLS_CERT uses Ed25519: Docker up to 19.03.8, and other programs built with Go before ' +
    '1.13, cannot connect. Use a certificate with an RSA or ECDSA key',
  facts: {},
};

/**
 * The algorithm id of Ed25519 (RFC 8410, section 3: an OID without parameters), in DER. A certificate has it for its key, and
 * for its signature.
 */
const ed25519Id = Buffer.from([0x30, 5, 6, 3, 0x2b, 0x65, 0x70]);

/** @returns true if a certificate of the chain has a key or a signature of Ed25519. */
function usesEd25519(chain: string): boolean {
  return certificatesIn(chain).some((each) => {
    try {
      return new X509Certificate(each).raw.includes(ed25519Id);
    } catch {
      return false;
    }
  });
}

const dayMs = 86_400_000;
const warnedDays = 14;

/** The message does not contain the setting's text, which may be a key instead of a path. */
function pemOf(
  variable: string,
  setting: string,
  isAgain: boolean,
): PemSource | { readonly problem: SettingProblem } {
  if (!isPath(setting)) return { variable, text: setting, file: undefined };
  try {
    return { variable, text: readFile(setting, undefined, isAgain), file: resolve(setting) };
  } catch (error) {
    const why = error instanceof UnreadableFileError ? error.ending : '';
    const message = `must be PEM, or a path to a file that can be read${why}`;
    return { problem: { variable, value: notShown, message } };
  }
}
