import { verifySchema1 } from '../formats/schema1/verify.ts';
import type { ConversionStep } from './step.ts';

/** Refuses schema 1 whose signature does not hold, before anything is made of it. */
export const verifySignatures: ConversionStep = async (prepared) => {
  await verifySchema1(prepared.image);
  return prepared;
};
