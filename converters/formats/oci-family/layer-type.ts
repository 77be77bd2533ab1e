import { ConversionError, type Dialect } from '../../errors.ts';
import type { Layer } from '../../model.ts';

/** The layer types of a family by compression, then by whether the layer is foreign; `undefined` where it has none. */
export interface LayerTypeTable
  extends Readonly<
    Record<'none' | 'gzip' | 'zstd', { readonly own: string; readonly foreign: string | undefined }>
  > {
  /** Whether the family has `+encrypted` types (ocicrypt). */
  readonly encrypted: boolean;
}

/** @throws ConversionError INEXPRESSIBLE when the family has no type for the layer. */
export type LayerTypeOf = (layer: Layer, dialect: Dialect) => string;

export function layerTypeFrom(table: LayerTypeTable): LayerTypeOf {
  return (layer, dialect) => {
    const { compression, foreign, encrypted } = layer;
    if (encrypted && !table.encrypted) {
      throw inexpressible('The image has an encrypted layer, which this form cannot carry', layer, dialect);
    }
    if (compression === 'unknown') {
      const message = 'The compression of a layer is not known, and this form must state it';
      throw inexpressible(message, layer, dialect);
    }
    const type = table[compression][foreign ? 'foreign' : 'own'];
    if (type === undefined) {
      throw inexpressible('The image has a layer of a type that this form does not have', layer, dialect);
    }
    return encrypted ? `${type}+encrypted` : type;
  };
}

function inexpressible(message: string, layer: Layer, dialect: Dialect): ConversionError {
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message,
    dialect,
    path: layer.field?.path,
    found: `${layer.mediaType} ${layer.digest}`,
  });
}
