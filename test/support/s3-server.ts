import { digestOf } from '../../converters/digest.ts';
import type { Fetch } from '../../src/upstream/send.ts';
import { concatenated } from './byte-streams.ts';
import { verifySigv4 } from './clouds/verify-sigv4.ts';

export const s3Key = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

export interface S3Server {
  readonly fetch: Fetch;
  readonly objects: Map<string, S3Object>;
  readonly uploads: Map<string, S3Upload>;
  /** Each request, like `PUT /layers/x?partNumber=1`. */
  readonly asked: readonly string[];
  /** Answers a request in place of the server, or breaks it. */
  intervene: ((method: string, url: URL) => Response | undefined) | undefined;
}

interface S3Object {
  readonly bytes: Uint8Array<ArrayBuffer>;
  modified: Date;
}

interface S3Upload {
  readonly key: string;
  readonly parts: Map<number, { readonly bytes: Uint8Array<ArrayBuffer>; readonly tag: string }>;
  begun: Date;
}

/** The smallest part but the last (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
const smallestPart = 5 * 2 ** 20;

/** Keys on one page of a list: few, so that tests see several pages. */
const pageKeys = 2;

const xmlHeaders = { 'content-type': 'application/xml' };
const xml = (body: string, status = 200) =>
  new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, { status, headers: xmlHeaders });

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export function s3Error(status: number, code: string, message = `as ${code} says`): Response {
  return xml(`<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`, status);
}

/**
 * A bucket by the documents of Amazon S3: it verifies each signature and each hash, refuses parameters and headers that
 * it does not know, and makes an upload visible when it is complete.
 * @param bucket its address: `/<bucket>` as the first part of each path.
 */
export function createS3Server(bucket: string, region: string): S3Server {
  const objects = new Map<string, S3Object>();
  const uploads = new Map<string, S3Upload>();
  const asked: string[] = [];
  let uploadNumber = 0;

  const tagOf = (bytes: Uint8Array) => `"${digestOf(bytes).slice(7, 39)}"`;

  function put(key: string, bytes: Uint8Array<ArrayBuffer>): void {
    objects.set(key, { bytes, modified: new Date() });
  }

  function get(key: string, method: string, range: string | null): Response {
    const object = objects.get(key);
    if (!object) return method === 'HEAD' ? new Response(null, { status: 404 }) : s3Error(404, 'NoSuchKey');
    const { bytes, modified } = object;
    const common = { etag: tagOf(bytes), 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes' };
    const whole = { ...common, 'content-length': String(bytes.length) };
    if (method === 'HEAD') return new Response(null, { headers: whole });
    if (range === null) return new Response(bytes, { headers: whole });
    const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    const [start, end] = [Number(first), Math.min(Number(last), bytes.length - 1)];
    if (first === '' || start >= bytes.length) return s3Error(416, 'InvalidRange');
    const part = bytes.slice(start, end + 1);
    const headers = {
      ...common,
      'content-length': String(part.length),
      'content-range': `bytes ${start}-${end}/${bytes.length}`,
    };
    return new Response(part, { status: 206, headers });
  }

  function sourceOf(headers: Headers): Uint8Array<ArrayBuffer> | undefined {
    const source = decodeURIComponent(headers.get('x-amz-copy-source') ?? '');
    const bytes = objects.get(source.slice(`/${bucket}/`.length))?.bytes;
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.get('x-amz-copy-source-range') ?? '') ?? [];
    return first === undefined ? bytes : bytes?.slice(Number(first), Number(last) + 1);
  }

  function complete(id: string, text: string): Response {
    const upload = uploads.get(id);
    if (!upload) return s3Error(404, 'NoSuchUpload');
    const named = [...text.matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag><\/Part>/g)];
    const parts = named.map(([, number, tag]) => {
      const part = upload.parts.get(Number(number));
      return part?.tag === tag?.replaceAll('&quot;', '"') ? part : undefined;
    });
    if (parts.length === 0 || parts.some((part) => part === undefined)) return s3Error(400, 'InvalidPart');
    const bytes = parts.map((part) => part?.bytes ?? new Uint8Array());
    if (bytes.slice(0, -1).some(({ length }) => length < smallestPart)) return s3Error(400, 'EntityTooSmall');
    uploads.delete(id);
    put(upload.key, concatenated(...bytes) as Uint8Array<ArrayBuffer>);
    return xml('<CompleteMultipartUploadResult><Key>x</Key></CompleteMultipartUploadResult>');
  }

  function listed(query: URLSearchParams): Response {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
    const page = keys.slice(0, pageKeys);
    const contents = page.map((key) => {
      const { bytes, modified } = objects.get(key) ?? { bytes: new Uint8Array(), modified: new Date() };
      return `<Contents><Key>${escaped(key)}</Key><LastModified>${modified.toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const isTruncated = keys.length > page.length;
    const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    return xml(
      `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${contents.join('')}${next}</ListBucketResult>`,
    );
  }

  function listedUploads(query: URLSearchParams): Response {
    const prefix = query.get('prefix') ?? '';
    const all = [...uploads].filter(([, { key }]) => key.startsWith(prefix));
    const lines = all.map(
      ([id, { key, begun }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
    );
    return xml(
      `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${lines.join('')}</ListMultipartUploadsResult>`,
    );
  }

  function answer(method: string, url: URL, headers: Headers, body: Uint8Array<ArrayBuffer>): Response {
    const [, name, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    if (name !== bucket) return s3Error(404, 'NoSuchBucket');
    const key = rest.join('/');
    const query = url.searchParams;
    const shape = [method, key === '' ? 'bucket' : 'key', ...[...query.keys()].toSorted()].join(' ');
    const id = query.get('uploadId') ?? '';
    switch (shape) {
      case 'GET key':
      case 'HEAD key':
        return get(key, method, headers.get('range'));
      case 'DELETE key':
        objects.delete(key);
        return new Response(null, { status: 204 });
      case 'PUT key': {
        const copied = headers.has('x-amz-copy-source') ? sourceOf(headers) : body;
        if (!copied) return s3Error(404, 'NoSuchKey');
        put(key, copied);
        if (!headers.has('x-amz-copy-source'))
          return new Response(null, { headers: { etag: tagOf(copied) } });
        return xml(`<CopyObjectResult><ETag>${tagOf(copied)}</ETag></CopyObjectResult>`);
      }
      case 'POST key uploads': {
        uploadNumber += 1;
        uploads.set(`upload-${uploadNumber}`, { key, parts: new Map(), begun: new Date() });
        return xml(
          `<InitiateMultipartUploadResult><UploadId>upload-${uploadNumber}</UploadId></InitiateMultipartUploadResult>`,
        );
      }
      case 'PUT key partNumber uploadId': {
        const upload = uploads.get(id);
        const number = Number(query.get('partNumber'));
        if (upload?.key !== key) return s3Error(404, 'NoSuchUpload');
        if (!(number >= 1 && number <= 10_000)) return s3Error(400, 'InvalidArgument');
        const copied = headers.has('x-amz-copy-source') ? sourceOf(headers) : body;
        if (!copied) return s3Error(404, 'NoSuchKey');
        const tag = tagOf(copied);
        upload.parts.set(number, { bytes: copied, tag });
        if (!headers.has('x-amz-copy-source')) return new Response(null, { headers: { etag: tag } });
        return xml(`<CopyPartResult><ETag>${tag}</ETag></CopyPartResult>`);
      }
      case 'POST key uploadId':
        return complete(id, new TextDecoder().decode(body));
      case 'DELETE key uploadId':
        return uploads.delete(id) ? new Response(null, { status: 204 }) : s3Error(404, 'NoSuchUpload');
      case 'GET bucket list-type prefix':
      case 'GET bucket continuation-token list-type prefix':
        return listed(query);
      case 'GET bucket prefix uploads':
        return listedUploads(query);
      default:
        return s3Error(400, 'InvalidRequest', shape);
    }
  }

  const server: S3Server = {
    objects,
    uploads,
    asked,
    intervene: undefined,
    async fetch(href, init) {
      const url = new URL(href);
      const request = new Request(href, init);
      const { method, headers } = request;
      asked.push(`${method} ${url.pathname}${url.search}`);
      const body = new Uint8Array(await request.arrayBuffer());
      const sent = server.intervene?.(method, url);
      if (sent) return sent;
      const sha256 = headers.get('x-amz-content-sha256') ?? '';
      if (sha256 !== digestOf(body).slice(7)) return s3Error(400, 'XAmzContentSHA256Mismatch');
      const signed = { method, url, headers, body: { sha256 } };
      const keyId = verifySigv4(signed, { ...s3Key, region, service: 's3' });
      if (keyId !== s3Key.accessKeyId) return s3Error(403, 'SignatureDoesNotMatch');
      return answer(method, url, headers, body);
    },
  };
  return server;
}
