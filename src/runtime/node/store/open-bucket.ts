import type { AwsCredentials } from '../../../auth/clouds/aws-credentials.ts';
import { createRenewed } from '../../../auth/renewed.ts';
import { type AwsKeySettings, awsKeyOf } from '../../../compose/cloud-login.ts';
import type { BucketAddress } from '../../../config/store.ts';
import type { BlobStore } from '../../../layers/store/blob-store.ts';
import { awsDomain } from '../../../layers/store/s3/s3-client.ts';
import { bucketMaintenance } from '../../../layers/store/s3/s3-list.ts';
import { createS3Store } from '../../../layers/store/s3/s3-store.ts';
import { version } from '../../../version.ts';
import type { NodePlatform } from '../platform.ts';

type BucketPlatform = Pick<
  NodePlatform,
  'fetch' | 'clock' | 'wallClock' | 'log' | 'background' | 'machine' | 'rotating'
>;

const userAgent = `regshift/${version}`;

/** Writes at the same time: most of them have two parts of 8 MiB in memory. */
const mostWrites = 6;

/** Opens the store in the bucket of REGSHIFT_STORE. */
export function openBucket(
  bucket: BucketAddress,
  settings: AwsKeySettings,
  platform: BucketPlatform,
): BlobStore {
  const { fetch, wallClock, log } = platform;
  const credentials = credentialsOf(bucket, settings, platform);
  return createS3Store({
    bucket,
    prefix: bucket.prefix,
    credentials,
    fetch,
    userAgent,
    wallClock,
    log,
    mostWrites,
    maintenance: bucketMaintenance,
  });
}

/** The newest access key of the settings, or that of the role of this machine, which is renewed before it ends. */
function credentialsOf(
  { region, bucket }: BucketAddress,
  settings: AwsKeySettings,
  platform: BucketPlatform,
): () => Promise<AwsCredentials> {
  const own = awsKeyOf(settings);
  if (own) return async () => awsKeyOf((await platform.rotating?.newest()) ?? settings) ?? own;
  const sts = new URL(`https://sts.${region}.${awsDomain(region)}`);
  const { current } = createRenewed({
    ...platform,
    source: 'The role of this machine',
    obtain: () => platform.machine.aws({ ...platform, userAgent }, sts),
    failure: {
      message: 'a cloud gave no new login: going on with the one that it gave before',
      facts: { cloud: 'AWS', bucket },
    },
  });
  return current;
}
