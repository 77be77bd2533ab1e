import { describe, expect, it } from 'vitest';
import { loss } from '../../../converters/losses.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import { conversionText, loggedConversion } from '../../../src/http/conversion-text.ts';

const types = { from: mediaTypes.ociIndex, to: mediaTypes.dockerList };
const entry = (at: number, name?: string): Loss => ({
  ...loss('entries', `$.manifests[${at}]`),
  ...(name === undefined ? {} : { name }),
});

describe('the log', () => {
  it('names what is lost, and says how often', () => {
    const losses = [
      entry(1, 'the image for linux/arm64'),
      entry(2, 'a build attestation'),
      entry(3, 'a build attestation'),
      loss('annotations', '$.annotations'),
    ];
    expect(loggedConversion(types, losses)).toBe(
      'oci-index -> list; lost="the image for linux/arm64, a build attestation (2 times), annotations"',
    );
    expect(conversionText(types, losses)).toBe(
      'oci-index -> list; lost="$.manifests[1] $.manifests[2] $.manifests[3] $.annotations"',
    );
  });

  it('has no more than five names, and their quotes stay whole', () => {
    const losses = Array.from({ length: 7 }, (_, at) => entry(at, `the image for "o\n${at}`));
    const text = loggedConversion(types, losses);
    expect(text).toMatch(/^oci-index -> list; lost="the image for \?o\?0, .*, and 2 more"$/);
    expect(text.match(/"/g)).toHaveLength(2);
  });

  it('has no `lost` where nothing is', () => {
    expect(loggedConversion(types, [])).toBe('oci-index -> list');
  });

  it('names losses of an older version, which have no name', () => {
    expect(loggedConversion(types, [entry(1)])).toBe('oci-index -> list; lost="index entry 2"');
  });
});
