import type { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../errors.ts';

/** Reasons that an option of the command line mends, by the code of the network error. */
const remedies: Readonly<Record<string, (host: string) => string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: plainHttp,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: plainHttp,
  ...Object.fromEntries(
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ].map((code) => [code, untrusted]),
  ),
};

function plainHttp(host: string): string {
  return `${host}: this registry speaks plain HTTP: use http:// or --plain-http.`;
}

function untrusted(host: string): string {
  return `${host}: its certificate is not trusted: name its authority with --ca, or use --tls-verify=false.`;
}

/** Steps for a user whose request the registry refused, by the status of its response. */
const steps: Readonly<Record<number, string>> = {
  401: 'Log in with docker login, or give the login by --creds.',
  403: 'Use a login that may read it: docker login, or --creds.',
  404: 'Check the name and the tag.',
};

/** Words an error of a registry or image for a user of the command line. */
export function errorText(error: RegistryError | ConversionError): string {
  if (!(error instanceof RegistryError) || error.detail?.proxy !== undefined) return error.message;
  const { code, host, upstreamStatus } = error.detail ?? {};
  const step = steps[Number(upstreamStatus)];
  const message = step === undefined ? error.message : `${error.message} ${step}`;
  return remedies[String(code)]?.(String(host)) ?? message;
}
