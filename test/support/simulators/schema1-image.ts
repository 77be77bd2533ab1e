import { mediaTypes } from '../../../converters/media-types.ts';
import type { RawResponse } from '../raw-http.ts';
import { sha256Of } from '../sha256.ts';
import { readSignedSchema1, type SignedSchema1, type V1Compatibility } from '../signed-schema1.ts';
import type { RunConfig } from './simulator.ts';

export interface Schema1Image {
  /** Base first. */
  readonly layers: readonly { readonly blobSum: string; readonly throwaway: boolean }[];
  readonly config: RunConfig;
  /** The digest of the signed bytes. */
  readonly digest: string;
}

/**
 * Reads schema 1 with the checks that all Docker versions share, except the number of layers. @throws Error as Docker
 * fails.
 */
export async function readSchema1(answer: RawResponse, mostLayers: number): Promise<Schema1Image> {
  if (answer.header('Content-Type') !== mediaTypes.schema1Signed) {
    throw new Error(`${answer.header('Content-Type')} is not signed schema 1`);
  }
  const signed = readSignedSchema1(answer.body);
  if (!(await signed.verify())) throw new Error('the signature does not hold');
  if (signed.keyId !== (await signed.expectedKeyId())) throw new Error('the key has another id');
  const { fsLayers, history, name, schemaVersion } = signed.document;
  if (schemaVersion !== 1 || !name) throw new Error('not schema 1, or of no name');
  if (fsLayers.length === 0 || fsLayers.length !== history.length)
    throw new Error('length of history not equal');
  const stored = signed.entries.filter((entry) => !entry.throwaway).length;
  if (stored > mostLayers) throw new Error(`max depth exceeded: ${stored}`);
  checkChain(signed.entries);
  const layers = fsLayers.map(({ blobSum }, index) => ({
    blobSum,
    throwaway: signed.entries[index]?.throwaway ?? false,
  }));
  return { layers: layers.toReversed(), config: configOf(signed), digest: await sha256Of(signed.payload) };
}

/** Checks the entries, newest first: each one's parent is the next entry, and the last has none. */
function checkChain(entries: readonly V1Compatibility[]): void {
  const seen = new Set<string>();
  for (const [index, { id, parent = '' }] of entries.entries()) {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new Error(`image ID ${JSON.stringify(id)} is invalid`);
    if (seen.has(id)) throw new Error(`the image ID ${id} comes twice`);
    seen.add(id);
    const below = entries[index + 1]?.id ?? '';
    if (parent !== below)
      throw new Error(`the parent of ${id} is ${parent || 'none'}, and below it is ${below}`);
  }
}

function configOf({ document }: SignedSchema1): RunConfig {
  return JSON.parse(document.history[0]?.v1Compatibility ?? '{}') as RunConfig;
}
