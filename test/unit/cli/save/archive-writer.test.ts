import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { concatenate } from '../../../../converters/bytes.ts';
import { type ArchiveWriter, writeArchive } from '../../../../src/cli/save/archive-writer.ts';
import { temporaryFolder } from '../../../support/cli.ts';
import { readArchive } from '../../../support/load-v1-archive.ts';

async function* piecesOf(count: number, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield new Uint8Array(size).fill(index);
}

async function archived(write: (archive: ArchiveWriter) => Promise<void>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const sink = async (all: AsyncIterable<Uint8Array>) => {
    for await (const each of all) chunks.push(new Uint8Array(each));
  };
  await writeArchive(sink, write);
  return concatenate(chunks);
}

const sample = async (archive: ArchiveWriter) => {
  await archive.folder('a');
  await archive.bytes('a/text', 'some text');
  await archive.stream('a/layer.tar', 3 * 65_536, piecesOf(3));
  await archive.bytes('empty', '');
};

describe('writeArchive', () => {
  it('writes entries in order, without times and owners', async () => {
    const file = join(temporaryFolder(), 'archive.tar');
    writeFileSync(file, await archived(sample));
    const entries = await readArchive(file);
    expect(
      entries.map(({ name, isFolder, time, content }) => [name, isFolder, time, content.length]),
    ).toEqual([
      ['a/', true, 0, 0],
      ['a/text', false, 0, 9],
      ['a/layer.tar', false, 0, 3 * 65_536],
      ['empty', false, 0, 0],
    ]);
  });

  it('writes the same bytes each time', async () => {
    const hash = createHash('sha256')
      .update(await archived(sample))
      .digest('hex');
    // A changed hash means that archives change that people compare.
    expect(hash).toMatchInlineSnapshot(`"1c6a857a851f53adce8fabdea3247e77f16751b1af9d0b95244e831ec853995e"`);
  });

  it('fails for content of another size than its header says', async () => {
    await expect(archived((archive) => archive.stream('x', 10, piecesOf(1)))).rejects.toThrow(
      'Size mismatch',
    );
  });

  it('fails with the error of the content', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      throw new Error('the layer is broken');
    }
    await expect(archived((archive) => archive.stream('x', 20, broken()))).rejects.toThrow(
      'the layer is broken',
    );
  });

  it('fails with the error of its sink, and does not wait for it', async () => {
    const full = async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const _ of chunks) throw new Error('the disk is full');
    };
    const write = (archive: ArchiveWriter) => archive.stream('x', 1000 * 65_536, piecesOf(1000));
    await expect(writeArchive(full, write)).rejects.toThrow('the disk is full');
  });

  it('reads content only as fast as its sink takes it', async () => {
    let produced = 0;
    let taken = 0;
    let ahead = 0;
    async function* counted() {
      for await (const piece of piecesOf(500)) {
        produced += piece.length;
        ahead = Math.max(ahead, produced - taken);
        yield piece;
      }
    }
    const slow = async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        await new Promise((resolve) => setImmediate(resolve));
        taken += chunk.length;
      }
    };
    await writeArchive(slow, (archive) => archive.stream('x', 500 * 65_536, counted()));
    expect(ahead).toBeLessThan(2 ** 20);
  });
});
