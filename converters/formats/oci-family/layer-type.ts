import { ConversionError, type Dialect } from '../../errors.ts';
import type { Layer } from '../../model.ts';

/** The layer media types of a dialect, by compression and by whether the layer is foreign; `undefined` for no type. */
export interface LayerTypeTable
  extends Readonly<
    Record<'none' | 'gzip' | 'zstd', { readonly own: string; readonly foreign: string | undefined }>
  > {
  /** Whether the dialect has `+encrypted` types (ocicrypt). */
  readonly encrypted: boolean;
}

/**
 * Returns the media type of a layer in a dialect.
 * @throws ConversionError INEXPRESSIBLE when the dialect has no type for the layer.
 */
export type LayerTypeOf = (layer: Layer, dialect: Dialect) => string;

/** Makes the function that looks up layer types in a table. */
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
