import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../converters/media-types.ts';
import { createLastManifest } from '../../../src/request/last-manifest.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** An index without a `mediaType`, padded to a length. */
function index(length = 0): Uint8Array {
  const text = JSON.stringify({ schemaVersion: 2, manifests: [] });
  return new TextEncoder().encode(text.padEnd(length, ' '));
}

describe('the manifest that a request has read last', () => {
  it('is read once, by the type that led to it and by the type that was found', () => {
    const last = createLastManifest();
    const bytes = index();
    const first = last.read(bytes, 'application/json');
    expect(first.sketch.mediaType).toBe(mediaTypes.ociIndex);
    expect(first.model()).toBe(first.model());
    expect(last.read(bytes, 'application/json')).toBe(first);
    expect(last.read(bytes, mediaTypes.ociIndex)).toBe(first);
  });

  it('is read anew by a hint of another type, and from other bytes', () => {
    const last = createLastManifest();
    const bytes = index();
    const first = last.read(bytes, mediaTypes.ociIndex);
    expect(last.read(bytes, mediaTypes.dockerList).model().source.mediaType).toBe(mediaTypes.dockerList);
    expect(last.read(index(), mediaTypes.ociIndex)).not.toBe(first);
    expect(last.read(bytes, mediaTypes.ociIndex)).not.toBe(first);
  });

  it('does not stay if it has more than 16 KiB', () => {
    const last = createLastManifest();
    for (const [length, stays] of [
      [16_384, true],
      [16_385, false],
    ] as const) {
      const bytes = index(length);
      const first = last.read(bytes, '');
      expect(last.read(bytes, '') === first).toBe(stays);
    }
  });

  it('may be a document that is no image', () => {
    const config = { mediaType: 'application/vnd.example', digest, size: 2 };
    const artifact = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const last = createLastManifest();
    const bytes = new TextEncoder().encode(JSON.stringify(artifact));
    for (const _ of [1, 2]) {
      const { sketch, model } = last.read(bytes, '');
      expect(sketch.mediaType).toBe(mediaTypes.ociManifest);
      expect(model).toThrow(expect.objectContaining({ code: 'NOT_AN_IMAGE' }));
    }
  });
});
