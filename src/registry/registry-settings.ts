import type { Platform } from '../../converters/platform.ts';
import type { Pin } from '../negotiation/negotiate.ts';
import type { Aliases } from '../routing/aliases.ts';
import type { PushFormat } from './push/convert-push.ts';

/** The settings of one registry. */
export interface RegistrySettings {
  /** Seconds for which a resolution may be used again. */
  readonly tagTtl: number;
  /** Seconds for which a public resolution, or an answer to a ping, may be used while upstream fails. */
  readonly staleFor: number;
  /** Seconds for a response of upstream that is neither a blob nor to a write. */
  readonly upstreamTimeout: number;
  /** The form that all clients get which can read it. */
  readonly pin: Pin;
  /** The platform of clients that cannot choose one and do not name one. */
  readonly platform: Platform;
  /** Converts manifests that are requested by digest, too. */
  readonly convertByDigest: boolean;
  /** Serves an index that must be converted as a whole, or as one image; `auto`: as one where upstream counts pulls. */
  readonly lists: 'auto' | 'full' | 'one';
  /** Refuses schema 1 that upstream stores without a signature. */
  readonly refusesUnsigned: boolean;
  /** Keeps the blobs of upstream that clients get, in the store. */
  readonly keepsBlobs: boolean;
  /** Hands redirects to storage on to the client instead of following them. */
  readonly redirectBlobs: boolean;
  /** Seconds that a manifest request waits for layers to be read. */
  readonly layerDeadline: number;
  /** Tags that one search for a digest resolves by HEAD. */
  readonly searchTags: number;
  /** Images that one search may fetch and convert; undefined for none where upstream counts pulls, and else a few. */
  readonly searchImages: number | undefined;
  /** Tags of a repository in API v1; undefined for a number that depends on whether upstream counts pulls. */
  readonly v1Tags: number | undefined;
  readonly aliases: Aliases;
  /** Whether a repository, by its name upstream, is served; undefined where all are. */
  readonly serves: ((repository: string) => boolean) | undefined;
  /** A client's own login is one for upstream. */
  readonly passThrough: boolean;
  /** Whether clients may push and delete, as far as upstream lets them. */
  readonly takesPushes: boolean;
  /** The form in which pushed manifests are stored. */
  readonly pushFormat: PushFormat;
  /** Refuses pushes whose conversion would lose something. */
  readonly refusesLosses: boolean;
}
