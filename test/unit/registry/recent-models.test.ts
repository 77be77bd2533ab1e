import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../converters/media-types.ts';
import { createRecentModels } from '../../../src/registry/recent-models.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** An index without a `mediaType`, padded to a length. */
function index(length = 0): Uint8Array {
  const text = JSON.stringify({ schemaVersion: 2, manifests: [] });
  return new TextEncoder().encode(text.padEnd(length, ' '));
}

describe('the models of the last manifests', () => {
  it('are read once, by the type that led to them, and by the type that was found', () => {
    const models = createRecentModels();
    const bytes = index();
    const first = models.model(bytes, 'application/json');
    expect(models.sketch(bytes, 'application/json').mediaType).toBe(mediaTypes.ociIndex);
    expect(models.model(bytes, 'application/json')).toBe(first);
    expect(models.model(bytes, mediaTypes.ociIndex)).toBe(first);
  });

  it('are read anew by a hint of another type, and from other bytes', () => {
    const models = createRecentModels();
    const bytes = index();
    const first = models.model(bytes, mediaTypes.ociIndex);
    expect(models.model(bytes, mediaTypes.dockerList).source.mediaType).toBe(mediaTypes.dockerList);
    expect(models.model(index(), mediaTypes.ociIndex)).not.toBe(first);
  });

  it('are the last eight, of manifests of 64 KiB at most', () => {
    const models = createRecentModels();
    const [old, long] = [index(), index(65_537)];
    const first = models.model(old, '');
    const ofLong = models.model(long, '');
    expect(models.model(long, '')).not.toBe(ofLong);
    for (let others = 0; others < 7; others += 1) models.model(index(), '');
    expect(models.model(old, '')).toBe(first);
    models.model(index(), '');
    expect(models.model(old, '')).not.toBe(first);
  });

  it('are not those of a document that is no image', () => {
    const models = createRecentModels();
    const config = { mediaType: 'application/vnd.example', digest, size: 2 };
    const artifact = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const bytes = new TextEncoder().encode(JSON.stringify(artifact));
    for (const _ of [1, 2]) {
      expect(() => models.model(bytes, '')).toThrow(expect.objectContaining({ code: 'NOT_AN_IMAGE' }));
      expect(models.sketch(bytes, '').mediaType).toBe(mediaTypes.ociManifest);
    }
  });
});
