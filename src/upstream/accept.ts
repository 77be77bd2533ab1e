import { mediaTypes } from '../../converters/media-types.ts';

/** The widest `Accept`, for upstream: Quay and old Artifactory convert down for a narrow one. */
export const widestAccept = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.schema2,
  mediaTypes.generic,
  mediaTypes.schema1Signed,
  mediaTypes.schema1,
  '*/*',
].join(', ');
