import type { Model } from '../../converters/model.ts';
import { readSketch, type Sketch, sketchManifest } from '../../converters/read.ts';

/** A manifest that was read. */
export interface ReadManifest {
  readonly sketch: Sketch;
  /** Interprets the content, once. @throws as `readSketch`. */
  readonly model: () => Model;
}

/**
 * The manifest that a request has read last: a new image's manifest is read for negotiation, and then for its
 * conversion. A reading costs a tenth of the conversion.
 */
export interface LastManifest {
  /** @param contentType a hint, as of `readManifest`. @throws as `sketchManifest`. */
  read(bytes: Uint8Array, contentType: string): ReadManifest;
}

/** A model can take fifty times the bytes of a manifest of many small values. */
const longestBytes = 16_384;

export function createLastManifest(): LastManifest {
  let last: ({ readonly contentType: string } & ReadManifest) | undefined;
  return {
    read(bytes, contentType) {
      // The bytes of cached content never change. The type that was found is as good a hint as the one that led to it.
      const types = [last?.contentType, last?.sketch.mediaType];
      if (last && last.sketch.bytes === bytes && types.includes(contentType)) return last;
      const made = { contentType, ...readManifestOnce(bytes, contentType) };
      if (bytes.length <= longestBytes) last = made;
      return made;
    },
  };
}

/** Reads a manifest that no later reader of the same request needs. @throws as `sketchManifest`. */
export function readManifestOnce(bytes: Uint8Array, contentType: string): ReadManifest {
  const sketch = sketchManifest(bytes, contentType);
  let model: Model | undefined;
  return {
    sketch,
    model: () => {
      model ??= readSketch(sketch);
      return model;
    },
  };
}
