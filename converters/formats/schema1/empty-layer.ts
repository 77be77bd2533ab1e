import type { Bytes } from '../../bytes.ts';
import type { Digest } from '../../digest.ts';

/**
 * The layer that schema 1 names for history entries without content: a gzipped tar of 1024 zero bytes
 * (distribution 2.8, manifest/schema1/config_builder.go). regshift serves it itself, so upstream need not have it.
 */
export const emptyLayer: { readonly digest: Digest; readonly diffId: Digest; readonly bytes: Bytes } = {
  digest: 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4' as Digest,
  diffId: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef' as Digest,
  bytes: Uint8Array.from(atob('H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA='), (character) =>
    character.charCodeAt(0),
  ),
};

/** Digests of layers that contain no files: `emptyLayer`, and the same tar compressed by another gzip. */
export const emptyBlobs: ReadonlySet<Digest> = new Set([
  emptyLayer.digest,
  'sha256:3c2cba919283a210665e480bcbf943eaaf4ed87a83f02e81bb286b8bdead0e75' as Digest,
]);

/** diff_ids of layers that contain no files: an empty tar has 1024 bytes if Go writes it, 10240 if GNU tar does. */
export const emptyDiffIds: ReadonlySet<Digest> = new Set([
  emptyLayer.diffId,
  'sha256:84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652' as Digest,
]);
