import type { Model } from '../../converters/model.ts';
import { readSketch, type Sketch, sketchManifest } from '../../converters/read.ts';

/**
 * Reads manifests. The manifest of a new image is read for negotiation, for its conversion and for the check of its
 * labels within milliseconds, and each reading costs a tenth of the conversion. So the last small ones stay.
 */
export interface RecentModels {
  /** @param contentType a hint, as of `readManifest`. @throws as `sketchManifest`. */
  sketch(bytes: Uint8Array, contentType: string): Sketch;
  /** @throws as `readManifest`. */
  model(bytes: Uint8Array, contentType: string): Model;
}

interface Recent {
  readonly contentType: string;
  readonly sketch: Sketch;
  model?: Model;
}

/** As many as conversions that are under way at once on a busy core. */
const mostModels = 8;

/** A model takes up to ten times the bytes of its manifest. */
const longestBytes = 65_536;

export function createRecentModels(): RecentModels {
  let recent: readonly Recent[] = [];

  function read(bytes: Uint8Array, contentType: string): Recent {
    // The bytes of cached content never change. The type that was found is as good a hint as the one that led to it.
    const known = recent.find(
      ({ sketch, ...each }) =>
        sketch.bytes === bytes && (each.contentType === contentType || sketch.mediaType === contentType),
    );
    if (known) return known;
    const made: Recent = { contentType, sketch: sketchManifest(bytes, contentType) };
    if (bytes.length <= longestBytes) recent = [made, ...recent.slice(0, mostModels - 1)];
    return made;
  }

  return {
    sketch: (bytes, contentType) => read(bytes, contentType).sketch,
    model(bytes, contentType) {
      const found = read(bytes, contentType);
      found.model ??= readSketch(found.sketch);
      return found.model;
    },
  };
}
