import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConversionError,
  convertImage,
  convertToRegistryV1,
  emptyLayer,
  type Form,
  generateSigningKey,
  type Image,
  readImageConfig,
  readManifest,
  verifySchema1,
} from '../../converters/index.ts';
import { type ArbitraryImage, arbitraryImage, contextFor } from '../support/converters/arbitrary-image.ts';
import { pairNames, storedPair } from '../support/converters/golden-pairs.ts';

const key = generateSigningKey();
const signingKey = () => key;
const forms: readonly Form[] = ['schema1', 'schema2', 'oci', 'generic'];
const runs = (numRuns: number) => ({ numRuns });

function image(bytes: Uint8Array): Image {
  const model = readManifest(bytes);
  if (model.kind !== 'image') throw new Error('an index');
  return model;
}

async function to(form: Form, bytes: Uint8Array, of: ArbitraryImage, made = new Map<string, Uint8Array>()) {
  const converted = await convertImage(image(bytes), form, contextFor(of, signingKey, made));
  for (const blob of converted.blobs) if (blob.kind === 'config') made.set(blob.digest, blob.bytes);
  return converted;
}

describe('any image', () => {
  it.each(forms)('converted to %s is readable, and its signatures are valid', async (form) => {
    await fc.assert(
      fc.asyncProperty(arbitraryImage, async (of) => {
        const { body, digest } = await to(form, of.bytes, of);
        const read = image(body);
        await verifySchema1(read);
        expect(read.source.digest).toBe(digest);
        const layers = read.dependencies
          .map((layer) => layer.digest)
          .filter((each) => each !== emptyLayer.digest);
        expect(layers).toEqual(of.layers);
      }),
      runs(60),
    );
  });

  it.each(forms)('converted to %s keeps its digest when it is read and written again', async (form) => {
    await fc.assert(
      fc.asyncProperty(arbitraryImage, async (of) => {
        const made = new Map<string, Uint8Array>();
        const first = await to(form, of.bytes, of, made);
        const again = await to(form, first.body, of, made);
        expect(again.digest).toBe(first.digest);
        expect(again.losses).toEqual([]);
        expect((await to(form, of.bytes, of)).digest).toBe(first.digest);
      }),
      runs(60),
    );
  });

  it('is the same byte for byte after the other of schema 2 and OCI', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryImage, async (of) => {
        const own = image(of.bytes).source.dialect as Form;
        const other = own === 'oci' ? 'schema2' : 'oci';
        const between = await to(other, of.bytes, of);
        expect((await to(own, between.body, of)).body).toEqual(of.bytes);
      }),
      runs(150),
    );
  });

  it('has the same config and layers after the generic form', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryImage, async (of) => {
        const between = await to('generic', of.bytes, of);
        for (const form of ['schema2', 'oci'] as const) {
          const back = image((await to(form, between.body, of)).body);
          const direct = image((await to(form, of.bytes, of)).body);
          const facts = ({ target, dependencies }: Image) =>
            [target.kind === 'config' && target.descriptor, ...dependencies].map(
              (each) => each && [each.digest, each.size, each.mediaType],
            );
          expect(facts(back)).toEqual(facts(direct));
        }
      }),
      runs(60),
    );
  });

  it('has the same layers, run configuration and history after schema 1', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryImage, async (of) => {
        const made = new Map<string, Uint8Array>();
        const schema1 = await to('schema1', of.bytes, of, made);
        const back = await to('schema2', schema1.body, of, made);
        expect(image(back.body).dependencies.map(({ digest }) => digest)).toEqual(of.layers);
        const [blob] = back.blobs;
        const before = readImageConfig(of.config);
        const after = readImageConfig(blob?.kind === 'config' ? blob.bytes : new Uint8Array());
        const raw = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
        expect(raw(after.bytes).config).toEqual(raw(before.bytes).config);
        expect(after.diffIds).toEqual(before.diffIds);
        expect(after.created).toBe(before.created);
        // The history of the top entry comes from the config. The entries below lose nothing.
        const below = (entries: typeof after.history) => entries?.slice(0, -1);
        if (of.history.length > 0) expect(below(after.history)).toEqual(below(before.history));
        expect(after.history?.map(({ emptyLayer: empty }) => empty)).toEqual(
          of.history.length > 0 ? before.history?.map(({ emptyLayer: empty }) => empty) : [true],
        );
      }),
      runs(100),
    );
  });

  it('converted to v1 images is a chain from the top to a base without a parent', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryImage, async (of) => {
        const { images } = await convertToRegistryV1(image(of.bytes), contextFor(of, signingKey));
        expect(images.map(({ parent }) => parent)).toEqual([...images.slice(1).map(({ id }) => id), '']);
        expect(new Set(images.map(({ id }) => id)).size).toBe(images.length);
        for (const { id, json } of images) expect(JSON.parse(json)).toMatchObject({ id });
      }),
      runs(60),
    );
  });
});

/** Every document of the golden pairs, as a start for corruption. */
const seeds = pairNames().flatMap((name) => [...storedPair(name).documents.values()]);

const broken = fc
  .record({
    seed: fc.constantFrom(...seeds),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(40),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom('null', '{}', '[]', '"', '-1', '1e999', '\\ud800', ',', '"__proto__":1,')
        .map((each) => new TextEncoder().encode(each)),
    ),
  })
  .map(({ seed, at, cut, put }) => {
    const start = Math.floor(at * seed.length);
    return Uint8Array.from([...seed.subarray(0, start), ...put, ...seed.subarray(start + cut)]);
  });

describe('any bytes', () => {
  const onlyCoded = (bytes: Uint8Array) => {
    for (const read of [readManifest, readImageConfig]) {
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof ConversionError)) throw error;
        expect(error.message).not.toMatch(/undefined|\[object/);
      }
    }
  };

  it('are read, or refused by a ConversionError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), onlyCoded), runs(2_000));
  });

  it('of a corrupted manifest are read, or refused by a ConversionError', () => {
    fc.assert(fc.property(broken, onlyCoded), runs(2_000));
  });
});
