import type { Digest } from '../../converters/digest.ts';

/** What a reference names upstream now, and the proof that this caller may read it. */
export interface Resolution {
  readonly digest: Digest;
  readonly contentType: string;
  /** Upstream gave it to a request without anyone's credential. */
  readonly public: boolean;
  /** Seconds since upstream was asked, where the answer is older than the TTL because upstream fails. */
  readonly age: number | undefined;
  /** Whether it may be used again, as it is, without a question; absent where it may not. */
  readonly isFresh?: () => boolean;
  /** What a tag named for all before, while it may still stand in: where upstream tells more than it gives. */
  readonly previous?: Resolution;
}

/** What a caller goes on to do with what a reference names. */
export type Purpose = 'to know' | 'to read';
