import type { RawDocument, RawObject } from '../raw-json.ts';

/** One entry of a schema 1 `history`: the v1 image that a layer was, read from `v1Compatibility`. */
export interface V1Entry {
  /** 64 hex digits. */
  readonly id: string;
  /** "" for the base. */
  readonly parent: string;
  readonly throwaway: boolean;
  /** Bytes of the layer unpacked, where the entry says. */
  readonly size: number | undefined;
  readonly document: RawDocument;
  readonly root: RawObject;
}
