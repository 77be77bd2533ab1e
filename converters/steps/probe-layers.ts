import { mapBounded } from '../concurrency.ts';
import { limits } from '../limits.ts';
import type { Layer } from '../model.ts';
import type { ConversionStep } from './step.ts';

/** Learns the compression of layers whose type does not say, from their first bytes. */
export const probeLayers: ConversionStep = async (prepared, ports) => {
  const { image } = prepared;
  if (image.dependencies.every(isTold)) return prepared;
  const dependencies = await mapBounded(image.dependencies, limits.fetches, async (layer) =>
    isTold(layer) ? layer : { ...layer, compression: await ports.sniffLayer(layer) },
  );
  return { ...prepared, image: { ...image, dependencies } };
};

function isTold({ compression }: Layer): boolean {
  return compression !== 'unknown';
}
