import { type AwsCredentials, roleCredentials } from '../auth/clouds/aws-credentials.ts';
import { createRenewed } from '../auth/renewed.ts';
import type { Settings } from '../config/settings.ts';
import type { BucketAddress } from '../config/store.ts';
import type { BlobStore } from '../layers/store/blob-store.ts';
import type { PruneBucket } from '../layers/store/s3/s3-list.ts';
import { createS3Store } from '../layers/store/s3/s3-store.ts';
import { version } from '../version.ts';
import { awsKeyOf } from './cloud-login.ts';
import type { RuntimePlatform } from './platform.ts';

/** The settings with the access key of a bucket. */
type KeySettings = Pick<Settings, 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'>;

/** The parts of a runtime that a bucket uses. */
type BucketPlatform = Pick<
  RuntimePlatform,
  'fetch' | 'clock' | 'wallClock' | 'log' | 'background' | 'machine' | 'rotating'
>;

/**
 * The store in the bucket of REGSHIFT_STORE.
 * @param mostWrites writes at the same time: each has up to two parts in memory, of 8 MiB for layers up to 8 GiB.
 * @param pruneBucket as in `S3StoreOptions`.
 */
export function createBucketStore(
  address: BucketAddress,
  settings: KeySettings,
  platform: BucketPlatform,
  mostWrites: number,
  pruneBucket?: PruneBucket,
): BlobStore {
  const parts = { ...platform, userAgent: `regshift/${version}` };
  const credentials = credentialsOf(address, settings, parts);
  return createS3Store({
    ...parts,
    bucket: address,
    prefix: address.prefix,
    credentials,
    mostWrites,
    pruneBucket,
  });
}

/** The newest access key of the settings, or that of the role of this machine, which is renewed before it ends. */
function credentialsOf(
  { region, bucket }: BucketAddress,
  settings: KeySettings,
  platform: BucketPlatform & { readonly userAgent: string },
): () => Promise<AwsCredentials> {
  const own = awsKeyOf(settings);
  if (own) return async () => awsKeyOf((await platform.rotating?.newest()) ?? settings) ?? own;
  const sts = new URL(`https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`);
  const parts = { ...platform, machine: platform.machine, sts };
  const { current } = createRenewed({
    ...platform,
    source: 'The role of this machine',
    obtain: () => roleCredentials(parts),
    failure: {
      message: 'a cloud gave no new login: going on with the one that it gave before',
      facts: { cloud: 'AWS', bucket },
    },
  });
  return current;
}
