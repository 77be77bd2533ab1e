import type { RepositoryName } from '../../../converters/reference.ts';
import type { V1Part } from '../../registry/v1/images.ts';
import type { V1Found } from '../../registry/v1/search.ts';

/** What a request for an id is about. */
export interface V1ImageRequest extends V1Found {
  readonly repository: RepositoryName;
  /** The image that was asked for. */
  readonly part: V1Part;
}
