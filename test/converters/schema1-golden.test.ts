import { describe, expect, test } from 'vitest';
import { generateSigningKey } from '../../converters/crypto/signing-key.ts';
import { digestOf } from '../../converters/digest.ts';
import { verifySchema1 } from '../../converters/formats/schema1/verify.ts';
import { convertImage } from '../../converters/images/convert-image.ts';
import { decodeText } from '../../converters/json/lossless-text.ts';
import type { ConversionPorts } from '../../converters/ports.ts';
import { readManifest } from '../../converters/read.ts';
import { type GoldenCase, goldenBytes, goldenCasesThat } from '../support/golden.ts';

const key = generateSigningKey();

async function convert({ name, repository, tag }: GoldenCase) {
  const ports: ConversionPorts = {
    fetchManifest: () => Promise.reject(new Error('nothing else is fetched')),
    fetchBlob: async () => goldenBytes(`schema1/${name}/config.json`),
    sniffLayer: () => Promise.reject(new Error('no layer is looked at')),
    layerFacts: () => Promise.reject(new Error('no layer is read')),
    signingKey: () => key,
  };
  const model = readManifest(goldenBytes(`schema1/${name}/manifest.json`));
  if (model.kind !== 'image') throw new Error('not an image');
  return convertImage(model, 'schema1', { ports, name: repository, tag, unpackZstd: false });
}

describe('schema 2 to schema 1, against docker-registry 2.8.2', () => {
  test.each(goldenCasesThat('equal', 44))('$name: the payload is byte for byte the same', async (each) => {
    const converted = await convert(each);
    const read = readManifest(converted.body);
    await verifySchema1(read as never);
    const payload = goldenBytes(`schema1/${each.name}/schema1.payload.json`);
    expect(decodeText(payloadOf(converted.body))).toBe(decodeText(payload));
    expect(converted.digest).toBe(each.digest);
    expect(digestOf(payload)).toBe(each.digest);
  });

  test.each(goldenCasesThat('refuse', 6))('$name is refused', async (each) => {
    await expect(convert(each)).rejects.toMatchObject({ name: 'ConversionError' });
  });

  test.each(goldenCasesThat('synthesize', 3))('$name gets one entry for each layer', async (each) => {
    const read = readManifest((await convert(each)).body);
    const stored = readManifest(goldenBytes(`schema1/${each.name}/manifest.json`));
    expect(read.dependencies.map(({ digest }) => digest)).toEqual(
      stored.dependencies.map(({ digest }) => digest),
    );
  });

  test.each(goldenCasesThat('either', 2))(
    '$name is converted or refused, and never crashes',
    async (each) => {
      const outcome = await convert(each).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome.name).toBe('ConversionError');
      else expect(outcome).toHaveProperty('digest');
    },
  );
});

/** The signed payload, extracted by the rule of formatLength without regshift's reader. */
function payloadOf(body: Uint8Array): Uint8Array {
  const block = JSON.parse(new TextDecoder().decode(body)).signatures[0];
  const format = JSON.parse(atob(block.protected.replaceAll('-', '+').replaceAll('_', '/')));
  const tail = new TextEncoder().encode(atob(format.formatTail));
  return Uint8Array.from([...body.subarray(0, format.formatLength), ...tail]);
}
