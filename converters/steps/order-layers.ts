import { inTargetOrder } from '../formats/generic/order.ts';
import { withConfigOf } from './read-config.ts';
import type { ConversionStep } from './step.ts';

/** Puts the layers of a generic manifest in the order that its target demands. */
export const orderLayers: ConversionStep = async (prepared, ports) => {
  const { config, blobs, image } = await withConfigOf(prepared, ports);
  return { config, blobs, image: inTargetOrder(image, config) };
};
