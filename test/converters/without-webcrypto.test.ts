import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifySchema1 } from '../../converters/formats/schema1/verify.ts';
import {
  convert,
  generateSigningKey,
  mediaTypes,
  readManifest,
  readSigningKey,
} from '../../converters/index.ts';
import { MemoryRegistry } from '../support/converters/memory-registry.ts';
import { testSigningKey } from '../support/signing-key.ts';

describe('a page of http://, where browsers have no crypto.subtle', () => {
  const registry = new MemoryRegistry();
  const hasNone = {
    code: 'SIGNATURE',
    message:
      'This page has no crypto.subtle, which keys and signatures need. Expected a page from https:// or localhost.',
  };

  beforeEach(() => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('converts a long manifest', async () => {
    const config = registry.add(mediaTypes.ociConfig, { rootfs: { diff_ids: [] } });
    const annotations = { 'org.example.long': 'x'.repeat(300_000) };
    const layers = [{ ...registry.layer(mediaTypes.ociLayerGzip, 'a'), annotations }];
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.schema2, config, layers };
    const stored = registry.read(registry.add(mediaTypes.schema2, manifest));
    const { body } = await convert(stored, 'oci', registry.context);
    expect(body.length).toBeGreaterThan(300_000);
  });

  it('refuses signing keys, and says why', async () => {
    await expect(generateSigningKey()).rejects.toMatchObject(hasNone);
    await expect(readSigningKey(JSON.stringify(testSigningKey))).rejects.toMatchObject(hasNone);
  });

  it('does not call a good signature wrong', async () => {
    vi.unstubAllGlobals();
    const ports = { ...registry.context.ports, signingKey: generateSigningKey };
    const context = { ...registry.context, ports };
    const { body } = await convert(registry.read(registry.image('a')), 'schema1', context);
    vi.stubGlobal('crypto', {});
    await expect(verifySchema1(readManifest(body))).rejects.toMatchObject(hasNone);
  });
});
