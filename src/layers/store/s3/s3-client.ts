import { AwsV4Signer } from 'aws4fetch';
import { sha256Hex } from '../../../../converters/digest.ts';
import type { WallClock } from '../../../clock.ts';
import { pause, withDeadlineForHead } from '../../../concurrency/deadline.ts';
import { hasCode, RegistryError } from '../../../errors.ts';
import { readBounded } from '../../../upstream/body.ts';
import { type Fetch, type Method, send } from '../../../upstream/send.ts';
import { withPath } from '../../../upstream/with-path.ts';
import { type S3Attempt, S3Error, s3ErrorFrom, s3ErrorIn } from './s3-error.ts';

/** A bucket at a server with the API of Amazon S3. */
export interface S3Bucket {
  readonly bucket: string;
  /** undefined for AWS. */
  readonly endpoint: URL | undefined;
  readonly region: string;
}

/** An access key. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Belongs to temporary credentials. */
  readonly sessionToken?: string;
}

export interface S3ClientOptions {
  readonly bucket: S3Bucket;
  /** Called for each request. @throws RegistryError MISCONFIGURED if there are none. */
  readonly credentials: () => Promise<S3Credentials>;
  /** Has no rule for addresses: the operator names the server. */
  readonly fetch: Fetch;
  readonly userAgent: string;
  readonly wallClock: WallClock;
  /** Milliseconds before the first repetition; they double with each. */
  readonly firstPauseMs?: number | undefined;
}

export interface S3Request {
  readonly method: Method;
  /** Absent for a request about the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal | undefined;
  /** True for a request that moves many bytes, which takes minutes on a slow line. */
  readonly isLarge?: boolean;
}

/** Sends signed requests to one bucket. */
export interface S3Client {
  /** The path of a key in the header of a copy (Amazon S3 API Reference, "CopyObject"). */
  sourceOf(key: string): string;
  /**
   * Sends a request, and repeats it a few times after an error that passes.
   * @returns a response with a status below 300. @throws S3Error; RegistryError without a response.
   */
  send(request: S3Request): Promise<Response>;
  /** As `send`, without repetition. @returns a response with any status. */
  sendOnce(request: S3Request): Promise<Response>;
  /** As `send`, and reads the XML of the response, which may be an error too. */
  read(request: S3Request): Promise<string>;
  /** The error for a response with an error status. */
  errorOf(response: Response, request: S3Request): Promise<S3Error>;
}

const answerMs = 20_000;
const largeAnswerMs = 300_000;

/** A page of a list: a thousand keys with a kilobyte each, and what is around them. */
const mostXmlBytes = 4 * 2 ** 20;

const mostRepetitions = 3;
const usualFirstPauseMs = 200;

/** Errors that pass (Amazon S3 API Reference, "Error responses"; RFC 6585 for 429). */
const passingStatuses: readonly number[] = [429, 500, 502, 503, 504];
const passingCodes: readonly string[] = ['InternalError', 'SlowDown', 'ServiceUnavailable', 'RequestTimeout'];

const noBytesHash = sha256Hex(new Uint8Array());

export function createS3Client(options: S3ClientOptions): S3Client {
  const { bucket, fetch, userAgent, wallClock, firstPauseMs = usualFirstPauseMs } = options;
  const base = bucketUrl(bucket);
  /** Keys derived for signatures, by secret and day. */
  const derived = new Map<string, ArrayBuffer>();
  /** Those of the newest credentials. */
  let secrets: readonly string[] = [];

  const attemptOf = ({ method }: S3Request): S3Attempt => ({ method, host: base.host, secrets });

  async function signed(request: S3Request, url: URL, credentials: S3Credentials): Promise<Headers> {
    if (derived.size > 4) derived.clear();
    const { method, headers, body } = request;
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': await hashOf(body) },
      ...credentials,
      service: 's3',
      region: bucket.region,
      datetime: amzDate(wallClock()),
      cache: derived,
    });
    const { headers: complete } = await signer.sign();
    // Proxies change these two, so they are not signed.
    complete.set('accept-encoding', 'identity');
    complete.set('user-agent', userAgent);
    return complete;
  }

  async function sendOnce(request: S3Request): Promise<Response> {
    const { method, signal: caller, isLarge, body } = request;
    const milliseconds = isLarge ? largeAnswerMs : answerMs;
    const url = urlOf(base, request);
    const credentials = await options.credentials();
    const headers = Object.fromEntries(await signed(request, url, credentials));
    const { secretAccessKey, sessionToken = '' } = credentials;
    secrets = [secretAccessKey, sessionToken];
    return withDeadlineForHead(milliseconds, caller, (signal) => {
      const sender = { fetch, method, signal, milliseconds, caller, budget: undefined };
      return send(body === undefined ? sender : { ...sender, body }, url, headers);
    }).catch((error: unknown) => {
      throw hasCode(error, 'UPSTREAM_TIMEOUT') ? noAnswer(attemptOf(request), milliseconds) : error;
    });
  }

  async function sendForGood(request: S3Request): Promise<Response> {
    const response = await sendOnce(request);
    if (response.status < 300) return response;
    throw await s3ErrorFrom(response, attemptOf(request));
  }

  async function repeated<Value>({ signal }: S3Request, work: () => Promise<Value>): Promise<Value> {
    for (let repetition = 0; ; repetition += 1) {
      try {
        return await work();
      } catch (error) {
        signal?.throwIfAborted();
        if (repetition === mostRepetitions || !passes(error)) throw error;
        // Writers that were slowed down together do not come back together.
        const pauseMs = firstPauseMs * 2 ** repetition * (0.5 + Math.random());
        await pause(pauseMs, signal);
      }
    }
  }

  return {
    sourceOf: (key) => `/${bucket.bucket}/${encodedKey(key)}`,
    send: (request) => repeated(request, () => sendForGood(request)),
    sendOnce,
    read: (request) =>
      repeated(request, async () => {
        const response = await sendForGood(request);
        const deadlineMs = request.isLarge ? largeAnswerMs : answerMs;
        const bytes = await readBounded(response, mostXmlBytes, 'an answer of the bucket', deadlineMs);
        const xml = new TextDecoder().decode(bytes);
        const error = s3ErrorIn(xml, attemptOf(request));
        if (error) throw error;
        return xml;
      }),
    errorOf: (response, request) => s3ErrorFrom(response, attemptOf(request)),
  };
}

/**
 * The URL of a bucket: a host of its own at AWS, a path elsewhere and for names whose dots the certificate of AWS does
 * not match (Amazon S3 User Guide, "Virtual hosting of general purpose buckets").
 */
function bucketUrl({ bucket, endpoint, region }: S3Bucket): URL {
  if (endpoint) return withPath(endpoint, `${endpoint.pathname.replace(/\/+$/, '')}/${bucket}`);
  const domain = `s3.${region}.${awsDomain(region)}`;
  return new URL(bucket.includes('.') ? `https://${domain}/${bucket}` : `https://${bucket}.${domain}`);
}

/** The domain of the services of AWS in a region. */
export function awsDomain(region: string): string {
  return `amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function urlOf(base: URL, { key, query = {} }: S3Request): URL {
  const url = new URL(base);
  if (key !== undefined) url.pathname = `${base.pathname.replace(/\/$/, '')}/${encodedKey(key)}`;
  url.search = Object.entries(query)
    .map(([name, value]) => `${name}=${encoded(value)}`)
    .join('&');
  return url;
}

function encodedKey(key: string): string {
  return key.split('/').map(encoded).join('/');
}

/** All but the unreserved characters of RFC 3986, as signatures want it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The server compares this hash with the bytes that arrive, so it takes the place of other checksums. */
async function hashOf(body: Uint8Array | string | undefined): Promise<string> {
  if (body === undefined) return noBytesHash;
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const hash = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function amzDate(date: Date): string {
  return date.toISOString().replace(/[:-]|\.\d{3}/g, '');
}

function passes(error: unknown): boolean {
  if (error instanceof RegistryError) return error.code !== 'MISCONFIGURED';
  if (!(error instanceof S3Error)) return false;
  const { status = 0, code = '' } = error;
  return passingStatuses.includes(status) || passingCodes.includes(code);
}

function noAnswer({ method, host }: S3Attempt, milliseconds: number): S3Error {
  return new S3Error(`${method} to ${host} had no answer within ${milliseconds / 1000} s`);
}
