import type { RepositoryName } from '../../../converters/reference.ts';
import type { V1Part } from '../../registry/v1/images.ts';
import type { V1Found } from '../../registry/v1/search.ts';

/** The image that a request for an id names. */
export interface V1ImageRequest extends V1Found {
  readonly repository: RepositoryName;
  /** The image of that id within its chain. */
  readonly part: V1Part;
}
