import { describe, expect, it } from 'vitest';
import { lossSentence, lossSummary, lostContent } from '../../converters/loss-text.ts';
import { loss } from '../../converters/losses.ts';
import type { Loss } from '../../converters/model.ts';

const of = (path: string, name?: string): Loss => ({
  ...loss('entries', path),
  ...(name ? { name } : {}),
});

describe('the words for a lost content', () => {
  it.each([
    ['$.annotations', 'annotations'],
    ['$.layers[1].annotations', 'annotations of layer 2'],
    ['$.layers[0].org.example.key', 'org.example.key of layer 1'],
    ['$.config.data', 'data of the config'],
    ['$.target.urls', 'urls of the target'],
    ['$.config.history[4]', 'history entry 5'],
    ['$.dependencies[0]', 'part 1'],
    ['$.manifests[2]', 'index entry 3'],
    ['$.manifests[2].platform.features', 'features of the platform of index entry 3'],
    ['$.manifests[1].manifests[0]', 'index entry 1 of index entry 2'],
    ['$.manifests[1].manifests[0].annotations', 'annotations of index entry 1 of index entry 2'],
    ['$', 'the manifest'],
    [`sha256:${'0'.repeat(64)}`, `sha256:${'0'.repeat(64)}`],
    ['$.config[0]', 'config[0]'],
    ['$..', '.'],
  ])('%s: %s', (path, words) => {
    expect(lostContent(of(path))).toBe(words);
  });

  it('name what an entry of an index is', () => {
    expect(lostContent(of('$.manifests[2]', 'a build attestation'))).toBe('a build attestation');
  });
});

describe('a sentence about a loss', () => {
  it.each([
    [
      loss('annotations', '$.layers[1].annotations'),
      'The field annotations of layer 2 has no place in this form. The image runs without it.',
    ],
    [
      loss('urls', '$.layers[0].urls'),
      'The field urls of layer 1 has no place in this form; the registry must hold the content.',
    ],
    [loss('signatures', '$.signatures'), 'Signatures cover the schema 1 document alone.'],
    [of('$.manifests[2]', 'the image for linux/arm64'), 'The image for linux/arm64 is left out.'],
    [loss('entries', '$.manifests[0]', 'is left out: Gone.'), 'Index entry 1 is left out: Gone.'],
  ])('%o: %s', (each, sentence) => {
    expect(lossSentence(each)).toBe(sentence);
  });
});

describe('losses in a few words', () => {
  it('are counted by kind, and attestations by themselves', () => {
    const losses = [
      loss('annotations', '$.annotations'),
      loss('annotations', '$.layers[0].annotations'),
      of('$.manifests[1]', 'a build attestation'),
      of('$.manifests[2]', 'a build attestation'),
      of('$.manifests[3]', 'the image for linux/arm64'),
      loss('missing', '$.manifests[4]'),
    ];
    expect(lossSummary(losses)).toBe(
      'annotations, 2 attestations, 1 index entry, 1 image that the registry lacks',
    );
    expect(lossSummary([])).toBe('');
  });
});
