import { ConversionError } from '../../../converters/errors.ts';
import { bareMediaType } from '../../../converters/media-types.ts';

/** The artifact manifests of ORAS, and of OCI before image-spec 1.1. */
const artifactTypes: ReadonlySet<string> = new Set([
  'application/vnd.cncf.oras.artifact.manifest.v1+json',
  'application/vnd.oci.artifact.manifest.v1+json',
]);

/**
 * Whether a manifest could not be read because it is an artifact.
 * @param mediaType the type that the registry or an index states.
 */
export function isOfArtifact(error: unknown, mediaType: string): error is ConversionError {
  if (!(error instanceof ConversionError)) return false;
  const isArtifactType = artifactTypes.has(bareMediaType(mediaType));
  return error.code === 'NOT_AN_IMAGE' || (error.code === 'UNKNOWN_DIALECT' && isArtifactType);
}
