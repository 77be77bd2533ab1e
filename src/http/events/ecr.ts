import {
  type EventKinds,
  eventKind,
  type Notification,
  noEvent,
  readEvents,
  registryEvent,
  textOf,
} from './registry-event.ts';

const kinds: EventKinds = { PUSH: 'push', DELETE: 'delete' };

/** An event of Amazon ECR, as EventBridge sends it (Amazon, "Amazon ECR events and EventBridge"). */
export function isEcr(body: unknown): boolean {
  return textOf(body, 'source') === 'aws.ecr';
}

export function readEcr(body: unknown): Notification {
  const kind = eventKind(kinds, textOf(body, 'detail', 'action-type'));
  const isDone =
    textOf(body, 'detail-type') === 'ECR Image Action' && textOf(body, 'detail', 'result') === 'SUCCESS';
  if (kind === undefined || !isDone) return noEvent('ecr');
  const hosts = hostsOf(textOf(body, 'account'), textOf(body, 'region'));
  return readEvents('ecr', [body], (event) =>
    registryEvent(kind, {
      repository: textOf(event, 'detail', 'repository-name'),
      // An image that was pushed by its digest has no tag here.
      reference: textOf(event, 'detail', 'image-tag'),
      digest: textOf(event, 'detail', 'image-digest'),
      hosts,
    }),
  );
}

/**
 * The hosts of a private registry: plain, FIPS and dual-stack (amazon-ecr-credential-helper, ecr-login/api/client.go,
 * `ecrPattern`).
 */
function hostsOf(account: string | undefined, region: string | undefined): readonly string[] {
  if (!/^\d{12}$/.test(account ?? '') || !/^[a-z0-9-]+$/.test(region ?? '')) return [];
  const [plain, dualStack] = domainsOf(region ?? '');
  return [
    `${account}.dkr.ecr.${region}.${plain}`,
    `${account}.dkr.ecr-fips.${region}.${plain}`,
    `${account}.dkr-ecr.${region}.${dualStack}`,
    `${account}.dkr-ecr-fips.${region}.${dualStack}`,
  ];
}

/** The domains of the partition of a region (botocore, data/partitions.json). */
function domainsOf(region: string): readonly [plain: string, dualStack: string] {
  if (region.startsWith('cn-')) return ['amazonaws.com.cn', 'on.amazonwebservices.com.cn'];
  return [region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com', 'on.aws'];
}
