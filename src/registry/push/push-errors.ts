import type { Converted } from '../../../converters/conversion.ts';
import type { Loss } from '../../../converters/model.ts';
import { RegistryError } from '../../errors.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import type { PushedArtifact } from './pushed-manifest.ts';

/** The errors of pushes that are stored in another form than the pushed one. */

export function stillReading({ headers }: RegistryError): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    'regshift still reads the layers of the pushed image, which the registry takes in another form only. Push again in ' +
      `about ${headers['Retry-After']} s: what is read by then is not read again.`,
    { headers },
  );
}

export function unsignedPush(): RegistryError {
  return new RegistryError(
    'MANIFEST_INVALID',
    'The registry does not take schema 1, and regshift converts a pushed schema 1 manifest only with a signature. Push ' +
      'the image again with a newer client.',
  );
}

export function incompleteIndex({ losses }: Converted): RegistryError {
  const missing = losses.filter(({ kind }) => kind === 'missing').map(({ path }) => path);
  return new RegistryError(
    'MANIFEST_INVALID',
    `The registry does not have all manifests that the pushed index names (${missing.slice(0, 5).join(', ')}). Push ` +
      'the images of the index first.',
  );
}

export function losingPush({ mediaType }: Converted, lost: readonly Loss[]): RegistryError {
  const [first] = lost;
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : '';
  return new RegistryError(
    'MANIFEST_INVALID',
    `The registry takes the pushed manifest only as ${formPhrase(mediaType)}, which would lose ${first?.path}${more}, ` +
      'and this proxy is set to refuse that (REGSHIFT_PUSH_LOSSES). Push an image without it, or to another registry.',
    { detail: { lost: lost.slice(0, 20).map(({ path, reason }) => ({ path, reason })) } },
  );
}

export function artifactRefused({ digest, mediaType }: PushedArtifact): RegistryError {
  return new RegistryError(
    'MANIFEST_INVALID',
    `The registry does not take ${formPhrase(mediaType)}, the artifact ${digest} has no other form, and this proxy is ` +
      'set to leave nothing out (REGSHIFT_PUSH_LOSSES). Push without attestations, like docker buildx build ' +
      '--provenance=false, or to another registry.',
  );
}
