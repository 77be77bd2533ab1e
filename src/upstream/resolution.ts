import type { Digest } from '../../converters/digest.ts';

/** The manifest that a reference names upstream now, and the proof that this caller may read it. */
export interface Resolution {
  readonly digest: Digest;
  readonly contentType: string;
  /** Upstream gave it to a request without a credential. */
  readonly public: boolean;
  /** By the clock: when upstream was asked for it. */
  readonly at: number;
  /** Seconds since upstream was asked, where the resolution is older than the TTL because upstream fails. */
  readonly age: number | undefined;
  /** Whether it may still be used without asking upstream again; absent where it may not. */
  readonly isFresh?: () => boolean;
  /** The public resolution before this one, while it may stand in: upstream may name a manifest and not give it. */
  readonly previous?: Resolution;
}

/**
 * Whether the caller will read the manifest that the reference names, send it to a client that asks by GET, or tell a
 * pusher which manifest is there.
 */
export type Purpose = 'to know' | 'to read' | 'to send' | 'to confirm' | 'to compare';
