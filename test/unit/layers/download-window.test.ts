import { expect, test } from 'vitest';
import { createDownloadWindow } from '../../../src/layers/download-window.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';

const MiB = 2 ** 20;
const soon = () => AbortSignal.timeout(2_000);

function windowWith() {
  const { limits } = createNodeLayerCodec({ windowBudget: 128 * MiB }).zstd;
  if (limits === undefined) throw new Error('Node has limits.');
  const window = createDownloadWindow({
    limits,
    owner: ['192.0.2.7', ''],
    giveBacks: 0,
    isRunning: () => true,
    giveBack: () => undefined,
    clock: () => 0,
    patienceMs: () => undefined,
    late: () => new Error('late'),
    onTaken: () => undefined,
  });
  const isFree = async (bytes: number) => {
    const leaving = new AbortController();
    const taken = limits.downloads.take({ bytes, owner: ['192.0.2.8', ''] }, leaving.signal);
    leaving.abort();
    const giveBack = await taken.catch(() => undefined);
    giveBack?.();
    return giveBack !== undefined;
  };
  return { window, isFree };
}

test('a reserved window is taken once, and given back by its decoder alone', async () => {
  const { window, isFree } = windowWith();
  await window.reserve(8 * MiB, soon());
  const giveBack = await window.take(4 * MiB, soon());
  expect([await isFree(120 * MiB), await isFree(121 * MiB)]).toEqual([true, false]);
  window.release();
  expect(await isFree(121 * MiB)).toBe(false);
  giveBack();
  expect(await isFree(128 * MiB)).toBe(true);
});

test('a reserved window that is too small is given back before a larger one is taken', async () => {
  const { window, isFree } = windowWith();
  await window.reserve(8 * MiB, soon());
  const giveBack = await window.take(128 * MiB, soon());
  giveBack();
  expect(await isFree(128 * MiB)).toBe(true);
});

test('a reserved window that no decoder takes is given back', async () => {
  const { window, isFree } = windowWith();
  await window.reserve(128 * MiB, soon());
  expect(await isFree(1)).toBe(false);
  window.release();
  expect(await isFree(128 * MiB)).toBe(true);
});
