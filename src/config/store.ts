import * as z from 'zod/mini';
import { byteCount } from './numbers.ts';
import { readText } from './read-text.ts';

/** A store for layers, by its address. */
export type StoreAddress = FolderAddress | BucketAddress;

export interface FolderAddress {
  readonly kind: 'file';
  /** An absolute path. */
  readonly path: string;
}

export interface BucketAddress {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** undefined for AWS. */
  readonly endpoint: URL | undefined;
  readonly region: string;
}

const forms =
  'must be file:///path/of/a/folder, or s3://bucket/prefix?region=eu-central-1 (with &endpoint=https://host for other servers than AWS)';

const store = readText((text, refuse): StoreAddress => {
  const address = parseStoreAddress(text.trim());
  return 'problem' in address ? refuse(address.problem) : address;
});

/** Parses the value of REGSHIFT_STORE. */
export function parseStoreAddress(text: string): StoreAddress | { readonly problem: string } {
  const url = URL.parse(text) ?? undefined;
  if (url?.protocol === 'file:') return folderAddress(url, text);
  if (url?.protocol === 's3:') return bucketAddress(url);
  return { problem: forms };
}

function folderAddress(url: URL, text: string): StoreAddress | { readonly problem: string } {
  // The standard of URLs reads `file:layers` as `file:///layers` (url.spec.whatwg.org, "file state").
  if (!/^file:\//i.test(text))
    return { problem: 'must have an absolute path, like file:///var/lib/regshift' };
  const path = decodePath(url.pathname);
  // `file://var/lib` names a host.
  if (path === undefined || url.host !== '' || url.search !== '' || url.hash !== '')
    return { problem: forms };
  if (path.replaceAll('/', '') === '') return { problem: 'must be a folder of its own, and not the root' };
  return { kind: 'file', path };
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** The name of a bucket as S3 and its relatives take it (Amazon S3 User Guide, "Bucket naming rules"). */
const bucketName = /^[a-z0-9][a-z0-9._-]{1,62}$/i;

const bucketParameters = ['endpoint', 'region'];

function bucketAddress(url: URL): StoreAddress | { readonly problem: string } {
  const { searchParams, host: bucket } = url;
  const unknown = [...searchParams.keys()].find((name) => !bucketParameters.includes(name));
  if (unknown !== undefined)
    return { problem: `must have no parameter ${unknown}: there are endpoint and region` };
  if (url.username !== '' || url.password !== '') {
    return { problem: 'must hold no login: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role' };
  }
  const endpointText = searchParams.get('endpoint');
  const endpoint = endpointText === null ? undefined : (URL.parse(endpointText) ?? undefined);
  const isHttp = endpoint === undefined || /^https?:$/.test(endpoint.protocol);
  if (!bucketName.test(bucket) || !isHttp || (endpointText !== null && endpoint === undefined)) {
    return { problem: forms };
  }
  const region = searchParams.get('region') ?? (endpoint ? 'us-east-1' : undefined);
  if (region === undefined || !/^[a-z0-9-]+$/i.test(region)) {
    return { problem: 'must have a region for AWS, like s3://bucket/prefix?region=eu-central-1' };
  }
  const prefix =
    decodePath(url.pathname)
      ?.split('/')
      .filter((part) => part !== '')
      .join('/') ?? '';
  return { kind: 's3', bucket, prefix, endpoint, region };
}

/** The bytes of a store in a folder, if the operator states none. */
export const usualStoreBytes = 10 * 2 ** 30;

/** The settings of the store for layers. */
export const storeFields = {
  REGSHIFT_STORE: z.optional(store),
  REGSHIFT_STORE_BYTES: z._default(byteCount(1), usualStoreBytes),
  REGSHIFT_STORE_BLOBS: z._default(z.enum(['made', 'all'], 'must be made or all'), 'made'),
};
