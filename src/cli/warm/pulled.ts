import type { Digest } from '../../../converters/digest.ts';

export interface Pulled {
  readonly form: string;
  readonly digest?: Digest;
}
