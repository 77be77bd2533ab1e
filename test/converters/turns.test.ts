import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { convertImage } from '../../converters/images/convert-image.ts';
import { convertIndex } from '../../converters/indexes/convert-index.ts';
import { limits } from '../../converters/limits.ts';
import { readManifest } from '../../converters/read.ts';
import { type HostileDocument, hostileImages } from '../support/hostile-images.ts';

/** The ports of a conversion of a document, and the bytes of each turn that the conversion waits for. */
function portsOf(root: HostileDocument) {
  const turns: number[] = [];
  const documents = new Map<string, Uint8Array>();
  const add = ({ bytes, children = [] }: HostileDocument) => {
    documents.set(digestOf(bytes), bytes);
    children.forEach(add);
  };
  add(root);
  const fetch = async ({ digest }: { digest: string }) => documents.get(digest) ?? new Uint8Array();
  const unused = () => Promise.reject(new Error('not needed'));
  const turn = (bytes: number) => {
    turns.push(bytes);
    return undefined;
  };
  return {
    turns,
    ports: {
      fetchManifest: fetch,
      fetchBlob: fetch,
      sniffLayer: unused,
      layerFacts: unused,
      signingKey: unused,
      turn,
    },
  };
}

function contextOf(ports: ReturnType<typeof portsOf>['ports']) {
  return { ports, name: 'a', tag: 'b', unpackZstd: false };
}

describe('a conversion waits for a turn', () => {
  it('before it reads and before it writes each image of an index, and before it writes the index', async () => {
    const root = hostileImages['an index of 1,000 images']();
    const model = readManifest(root.bytes);
    if (model?.kind !== 'index') throw new Error('an index was expected');
    const { turns, ports } = portsOf(root);
    await convertIndex(model, 'schema2', contextOf(ports));
    const sizes = root.children?.flatMap(({ bytes }) => [bytes.length, bytes.length]) ?? [];
    expect(turns.toSorted((left, right) => left - right)).toEqual(
      [...sizes, root.bytes.length].toSorted((left, right) => left - right),
    );
  });

  it('with the bytes of the config, where it reads one', async () => {
    const root = hostileImages['a command of letters']();
    const model = readManifest(root.bytes);
    if (model?.kind !== 'image') throw new Error('an image was expected');
    const { turns, ports } = portsOf(root);
    await expect(convertImage(model, 'schema1', contextOf(ports))).rejects.toThrow('not needed');
    const config = root.children?.[0]?.bytes.length ?? 0;
    expect(turns.slice(0, 2)).toEqual([config, config + root.bytes.length]);
    // The literals of both v1 images in pieces, the text of the document, and its bytes.
    const [pieces, whole] = [turns.slice(2, -2), turns.slice(-2)];
    expect(pieces.length).toBeGreaterThan(config / 65_536);
    for (const each of pieces) expect(each).toBeLessThan(66_000);
    for (const each of whole) expect(each).toBeGreaterThan(config - 1_000);
  });
});

describe('a conversion is refused', () => {
  it('if its text would be longer than a manifest may be', async () => {
    const root = hostileImages['a command of angle brackets']();
    const model = readManifest(root.bytes);
    if (model?.kind !== 'image') throw new Error('an image was expected');
    const refused = convertImage(model, 'schema1', contextOf(portsOf(root).ports));
    await expect(refused).rejects.toMatchObject({
      code: 'LIMIT',
      expected: `at most ${limits.documentBytes} bytes`,
    });
  });

  it.each([
    '120,000 annotations',
    'a history of 100,000 entries',
    'a schema 1 manifest of 1,000 layers with many values each',
  ] as const)('for %s', async (name) => {
    const root = hostileImages[name]();
    if (!root) throw new Error('no such document');
    const convert = async () =>
      convertImage(readManifest(root.bytes) as never, 'schema1', contextOf(portsOf(root).ports));
    await expect(convert()).rejects.toMatchObject({ code: 'LIMIT' });
  });
});

describe('the list of losses', () => {
  it('has 1,000 members of a manifest, and one that stands for the others', async () => {
    const root = hostileImages['as many unknown keys as are read']();
    const model = readManifest(root.bytes);
    if (model?.kind !== 'image') throw new Error('an image was expected');
    const { losses } = await convertImage(model, 'schema2', contextOf(portsOf(root).ports));
    expect(losses).toHaveLength(limits.losses + 1);
    expect(losses.at(-1)?.reason).toMatch(/^and \d+ others are lost, and not listed$/);
  });
});
