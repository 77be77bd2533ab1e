import type { Dialect } from '../errors.ts';
import { decompressLayers } from './decompress-layers.ts';
import { makeConfig } from './make-config.ts';
import { orderLayers } from './order-layers.ts';
import { probeLayers } from './probe-layers.ts';
import { readConfig, verifyConfig } from './read-config.ts';
import type { ConversionStep } from './step.ts';
import { verifySignatures } from './verify-signatures.ts';

interface StepRow {
  readonly run: ConversionStep;
  /** The dialects that it is for: images stored in another are not touched by it. */
  readonly of: readonly Dialect[];
  readonly does: string;
}

export type StepName = 'verify' | 'check' | 'order' | 'make' | 'sniff' | 'unpack' | 'read';

/** Everything that may have to be done to an image before it is written, by the name used in `convert.ts`. */
export const steps: Readonly<Record<StepName, StepRow>> = {
  verify: { run: verifySignatures, of: ['schema1'], does: 'every signature is verified' },
  check: {
    run: verifyConfig,
    of: ['schema2', 'oci'],
    does: 'a config of an uncertain type is read, to see whether it is one',
  },
  order: {
    run: orderLayers,
    of: ['generic'],
    does: 'the config is read, and its diff_ids order the layers that they name',
  },
  make: {
    run: makeConfig,
    of: ['schema1', 'generic'],
    does: 'an image without diff_ids gets a config that has them; for that its layers are read once',
  },
  sniff: {
    run: probeLayers,
    of: ['generic'],
    does: 'the first bytes of a layer tell how it is packed, where its type does not',
  },
  unpack: {
    run: decompressLayers,
    of: ['schema1', 'schema2', 'oci', 'generic'],
    does: 'for clients that cannot unpack zstd, such layers become the plain tars inside',
  },
  read: { run: readConfig, of: ['schema2', 'oci', 'generic'], does: 'the config is read' },
};
