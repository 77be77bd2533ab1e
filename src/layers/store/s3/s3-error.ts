import { discard, readBounded } from '../../../upstream/body.ts';
import { xmlText } from './xml.ts';

/** An error that an S3 server sent, or a missing answer of it. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  /** The status of the response; undefined without a response. */
  readonly status: number | undefined;
  /** The server's code, like `NoSuchBucket`; undefined if it sent none. */
  readonly code: string | undefined;

  constructor(message: string, facts: { readonly status?: number; readonly code?: string | undefined } = {}) {
    super(message);
    this.status = facts.status;
    this.code = facts.code;
  }
}

/** The request that an error belongs to, as messages name it: no path and no query. */
export interface S3Attempt {
  readonly method: string;
  readonly host: string;
  /** Texts that no message may quote. */
  readonly secrets: readonly string[];
}

const mostErrorBytes = 65_536;

/** Codes with what to do about each (Amazon S3 API Reference, "Error responses"). */
const advice: ReadonlyMap<string, string> = new Map(
  Object.entries({
    NoSuchBucket: 'Create the bucket, or correct its name in REGSHIFT_STORE',
    AccessDenied:
      'Allow s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload, s3:ListBucket and ' +
      's3:ListBucketMultipartUploads to this key or role',
    SignatureDoesNotMatch: 'Check AWS_SECRET_ACCESS_KEY, and region in REGSHIFT_STORE',
    InvalidAccessKeyId: 'Check AWS_ACCESS_KEY_ID',
    ExpiredToken: 'Give new AWS credentials, with their AWS_SESSION_TOKEN',
    RequestTimeTooSkewed: 'Set the clock of this machine right',
    AuthorizationHeaderMalformed: 'Check region in REGSHIFT_STORE',
    PermanentRedirect: 'Check region in REGSHIFT_STORE',
  }),
);

/** Codes of a 403 without a body, which is the answer to HEAD. */
const codeOfStatus: Readonly<Record<number, string>> = { 403: 'AccessDenied', 301: 'PermanentRedirect' };

/** The error of a response with an error status. Reads or discards its body. */
export async function s3ErrorFrom(response: Response, attempt: S3Attempt): Promise<S3Error> {
  const { status, headers } = response;
  const isXml = attempt.method !== 'HEAD' && /xml/.test(headers.get('content-type') ?? '');
  const xml = isXml ? await readBounded(response, mostErrorBytes, 'an error').then(decoded, () => '') : '';
  await discard(response);
  const region = headers.get('x-amz-bucket-region');
  return s3Error(
    xml,
    attempt,
    status,
    isRegion(region) ? `Set region=${region} in REGSHIFT_STORE` : undefined,
  );
}

/** The error in the body of a response with the status 200, with which a server answers before it has ended its work. */
export function s3ErrorIn(xml: string, attempt: S3Attempt): S3Error | undefined {
  return /<Error(?:\s[^<>]{0,200})?>/.test(xml.slice(0, 1000)) ? s3Error(xml, attempt, 200) : undefined;
}

function s3Error(xml: string, attempt: S3Attempt, status: number, better?: string): S3Error {
  const { method, host } = attempt;
  const found = xmlText(xml, 'Code');
  const code = found !== undefined && /^[A-Za-z0-9._-]{1,80}$/.test(found) ? found : undefined;
  const known = code ?? codeOfStatus[status] ?? '';
  const said = [code, quotable(xmlText(xml, 'Message'), attempt)].filter((text) => text !== undefined);
  const todo = better ?? advice.get(known);
  const end = todo === undefined ? '' : ` ${todo}.`;
  return new S3Error(`${method} to ${host} answered ${[status, said.join(': ')].join(' ').trim()}.${end}`, {
    status,
    code,
  });
}

/** The server's message on one line; undefined if it has a secret in it. */
function quotable(message: string | undefined, { secrets }: S3Attempt): string | undefined {
  if (message === undefined || secrets.some((secret) => secret !== '' && message.includes(secret)))
    return undefined;
  const line = message.replace(/[\p{C}\s]+/gu, ' ').trim();
  return line === '' ? undefined : line.slice(0, 200).replace(/\.$/, '');
}

function isRegion(text: string | null): text is string {
  return text !== null && /^[a-z0-9-]{1,40}$/.test(text);
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
