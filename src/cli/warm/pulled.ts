import type { Digest } from '../../../converters/digest.ts';

/** The manifest that a client got. */
export interface Pulled {
  /** A form's name. */
  readonly form: string;
  /** Absent for registry API v1. */
  readonly digest?: Digest;
}
