import { beforeAll, describe, expect, it } from 'vitest';
import { layerTypeOf } from '../../converters/index.ts';
import { type CorpusImage, corpus } from '../support/corpus/corpus.ts';
import { frozenRecords, imageKey } from '../support/corpus/frozen-records.ts';
import { type CorpusRecord, corpusApp, corpusForms, recordOf } from '../support/corpus/outcomes.ts';
import { type CorpusDocument, documentsOf } from '../support/corpus/shape.ts';
import { sha256Of } from '../support/sha256.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

const images = await corpus();
const tools = [...new Set(images.map(({ tool }) => tool))];
const frozen = frozenRecords();

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Document {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[] | null;
  readonly manifests?: readonly Descriptor[];
  readonly artifactType?: string;
}

const manifestsOf = ({ built }: CorpusImage): Document[] =>
  [...built.manifests.values()].map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)));

describe('the corpus', () => {
  it('has 300 images and 400 documents of 90 tools, no two of one shape', () => {
    const firsts = new Map<string, CorpusDocument>();
    const withoutOwnShape: string[] = [];
    for (const image of images) {
      const before = firsts.size;
      // Tools share the plainest manifests; a shape counts for the first image that has it.
      for (const each of documentsOf(image)) if (!firsts.has(each.shape)) firsts.set(each.shape, each);
      if (firsts.size === before) withoutOwnShape.push(imageKey(image));
    }
    expect(withoutOwnShape).toEqual([]);
    expect(images.length).toBeGreaterThanOrEqual(300);
    expect(firsts.size).toBeGreaterThanOrEqual(400);
    expect(new Set([...firsts.values()].map(({ tool }) => tool)).size).toBeGreaterThanOrEqual(90);
  });

  it('names the source and the day of each image', () => {
    for (const { source, date } of images) {
      expect(source).toMatch(/^https:\/\/\S+$|^ran: [\s\S]+ \(.+\)$/);
      expect(date).toMatch(/^20\d\d-[01]\d-[0-3]\d$/);
    }
    expect(images.filter(({ source }) => source.startsWith('ran: ')).length).toBeGreaterThan(100);
  });

  it('has the content of every digest, with its size', async () => {
    for (const image of images) {
      for (const [digest, { bytes, mediaType }] of image.built.manifests) {
        const isSigned = mediaType.endsWith('prettyjws');
        expect(await sha256Of(isSigned ? readSignedSchema1(bytes).payload : bytes)).toBe(digest);
      }
      const named = manifestsOf(image).flatMap(({ config, layers }) => [
        ...(config ? [config] : []),
        ...(layers ?? []),
      ]);
      for (const { digest, size } of named) {
        const blob = image.built.blobs.get(digest);
        expect({ image: imageKey(image), digest, size: blob?.length }).toMatchObject({ digest, size });
        expect(await sha256Of(blob ?? new Uint8Array())).toBe(digest);
      }
    }
  });

  it('has a frozen record of each image', () => {
    expect(Object.keys(frozen)).toEqual(images.map(imageKey));
    expect(new Set(Object.keys(frozen)).size).toBe(images.length);
  });
});

describe('what clients get', () => {
  const records = new Map<string, Promise<CorpusRecord>>();
  const recordFor = (image: CorpusImage) => records.get(imageKey(image));
  beforeAll(async () => {
    const app = corpusApp(images);
    for (const image of images) records.set(imageKey(image), recordOf(image, app));
    await Promise.allSettled(records.values());
  }, 60_000);

  it.each(tools)('has the frozen digests for the images of %s', async (tool) => {
    for (const image of images.filter((each) => each.tool === tool)) {
      const key = imageKey(image);
      expect({ key, ...(await recordFor(image)) }).toEqual({ key, ...frozen[key] });
    }
  });

  it.each(tools)(
    'is the stored manifest, a converted one or a fitting error for those of %s',
    async (tool) => {
      for (const image of images.filter((each) => each.tool === tool)) {
        const { stored: _, ...record } = (await recordFor(image)) ?? { stored: '' };
        const texts = Object.values(record);
        expect(texts.length).toBe(corpusForms.length);
        expect({ image: imageKey(image), asStored: texts.includes('as stored') }).toEqual({
          image: imageKey(image),
          asStored: !isOfTwoFamilies(image),
        });
        for (const text of texts) expect({ text, fits: fits(image, text) }).toEqual({ text, fits: true });
      }
    },
  );
});

/** Whether an index names manifests of Docker and of OCI, so that no client of one form reads it. */
function isOfTwoFamilies({ built }: CorpusImage): boolean {
  const types = [...built.manifests.values()].map(({ mediaType }) => mediaType.includes('vnd.oci.'));
  return new Set(types).size > 1;
}

/** Whether an image of another kind would get another outcome. */
function fits(image: CorpusImage, text: string): boolean {
  const documents = manifestsOf(image);
  const types = documents.flatMap(({ layers }) => (layers ?? []).map(({ mediaType }) => mediaType));
  const artifacts = documents.filter(({ config, layers, artifactType }) => {
    const isConfig = /image\.config\.v1|container\.image\.v1/.test(config?.mediaType ?? '');
    const areLayers = (layers ?? []).every(({ mediaType }) => layerTypeOf(mediaType) !== undefined);
    return config !== undefined && (artifactType !== undefined || !isConfig || !areLayers);
  });
  const isIndex = documents.some(({ manifests }) => manifests !== undefined);
  if (!text.startsWith('404')) return true;
  if (text.includes('encrypted layer')) return types.some((type) => type.endsWith('+encrypted'));
  if (text.includes('foreign layer')) return types.some((type) => /foreign|nondistributable/.test(type));
  if (text.includes('There is no image for linux/amd64')) {
    return isIndex && !/Found .*linux\/amd64(,|\. E)/.test(text);
  }
  if (text.includes('No image of the index')) return isIndex && !text.includes('..');
  return text.includes('This is not a container image') && artifacts.length > 0;
}
