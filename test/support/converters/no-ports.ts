import type { ConversionContext } from '../../../converters/index.ts';

const none = (what: string) => () => Promise.reject(new Error(`the conversion requested ${what}`));

/** A context for conversions that must not call any port; each port throws. */
export const noPorts: ConversionContext = {
  ports: {
    fetchManifest: none('a manifest'),
    fetchBlob: none('a blob'),
    sniffLayer: none('the first bytes of a layer'),
    layerFacts: none('a layer'),
    signingKey: none('a key'),
  },
  name: 'library/test',
  tag: 'latest',
  unpackZstd: false,
};
