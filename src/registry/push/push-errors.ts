import type { Converted } from '../../../converters/conversion.ts';
import type { Loss } from '../../../converters/model.ts';
import { hasCode, isSpent, RegistryError } from '../../errors.ts';
import type { LayerFault } from '../../layers/corrupt-layer.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { hasStatus } from '../../upstream/error-response.ts';
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
  return lackingImages(losses.filter(({ kind }) => kind === 'missing').map(({ path }) => path));
}

/** @param missing the places or the digests of the missing manifests. */
export function lackingImages(missing: readonly string[]): RegistryError {
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

/** Faults of content that is beyond a limit. */
const limitFaults: readonly unknown[] = ['too-large', 'bomb', 'window'] satisfies LayerFault[];

/** Faults of content as it was pushed. A `mismatch` is none: the registry has compared the digest. */
const pushedFaults: readonly unknown[] = ['not-readable', 'cut-short', 'claim'] satisfies LayerFault[];

/**
 * The error of a push for which regshift cannot make content, because of a limit or of the pushed content itself. The
 * same push would fail again, and clients repeat it after a 5xx. They do not after MANIFEST_INVALID: skopeo 1.9 with
 * --retry-times and Buildah 1.28 push once, and four times after another code, such as SIZE_INVALID.
 * @returns MANIFEST_TOO_LARGE beyond a limit, MANIFEST_INVALID for wrong content, MANIFEST_BLOB_UNKNOWN for content that
 *   the registry lacks; any other error as it is.
 */
export function pushFailure(error: unknown): unknown {
  if (isSpent(error)) return tooManyRequests(error);
  // The content that regshift makes may be larger than the pushed one: a zstd layer is stored as a tar.
  if (error instanceof RegistryError && hasStatus(error, 413)) return cannotMake('MANIFEST_TOO_LARGE', error);
  if (hasCode(error, 'BLOB_UNKNOWN')) return lackingContent(error);
  if (!hasCode(error, 'UPSTREAM_CONTENT')) return error;
  const fault = error.detail?.fault;
  if (limitFaults.includes(fault)) return cannotMake('MANIFEST_TOO_LARGE', error);
  return pushedFaults.includes(fault) ? cannotMake('MANIFEST_INVALID', error) : error;
}

/** The error of the registry where a conversion fails because it lacks a layer or config. */
export function lackedBlob({ cause }: Error): RegistryError | undefined {
  return hasCode(cause, 'BLOB_UNKNOWN') ? cause : undefined;
}

/** As docker-registry refuses a manifest in the form that it takes (registry/handlers/manifests.go, `PutManifest`). */
function lackingContent(cause: RegistryError): RegistryError {
  const { detail } = cause;
  const message =
    `The registry does not have all layers and configs that the push needs: ${cause.message} Push them before the ` +
    'manifest that names them.';
  return new RegistryError('MANIFEST_BLOB_UNKNOWN', message, { cause, detail });
}

function cannotMake(code: 'MANIFEST_TOO_LARGE' | 'MANIFEST_INVALID', cause: RegistryError): RegistryError {
  const detail = { fault: cause.detail?.fault };
  const message = `regshift cannot make content that the push needs: ${cause.message}`;
  return new RegistryError(code, message, { cause, detail });
}

function tooManyRequests(cause: unknown): RegistryError {
  return new RegistryError(
    'MANIFEST_TOO_LARGE',
    'The push takes more requests to the registry than one request may cause here (REGSHIFT_SUBREQUESTS). Push again: ' +
      'what is uploaded by now is not uploaded again. Or raise the limit, or push an index of fewer images.',
    { cause },
  );
}
